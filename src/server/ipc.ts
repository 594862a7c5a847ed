import type { LimitDecision } from "../core/limit-decision.js";
import type { RateLimit } from "../core/rate-limit.js";
import type { Lease } from "../core/rate-limiter.js";
import type { CounterSnapshot } from "./counters.js";
import type { DoorSettings } from "./door.js";
import type { Degradation } from "./keystore-state.js";
import type { FailureDecision, WorkerGenerations } from "./services.js";
import type { TlsPair } from "./tls.js";

/** A keystore on its way to a worker: accepted by the primary, and read again by the worker. */
export interface SentKeystore {
  /** Counts what came into force; a worker says which one it has. */
  readonly version: number;
  readonly text: string;
}

/** What a worker needs to begin. */
export interface WorkerStart {
  readonly settings: DoorSettings;
  readonly keystore: SentKeystore;
  /** The path of the keystore's file, for edits. */
  readonly path: string;
  readonly auditFile: string | undefined;
  /** What an edit demands of the file, but for the time. */
  readonly policy: WorkerPolicy;
  readonly degraded: readonly Degradation[];
}

/** A `Policy` without its time. */
export interface WorkerPolicy {
  readonly idOnlyPeers: boolean;
  readonly reservedIds: readonly string[];
  readonly systemDigest: string | undefined;
}

/** From the primary to a worker. */
export type ToWorker =
  | ({ readonly kind: "start" } & WorkerStart)
  | { readonly kind: "keystore"; readonly keystore: SentKeystore }
  | { readonly kind: "degraded"; readonly degraded: readonly Degradation[] }
  | { readonly kind: "tls"; readonly pair: TlsPair }
  | { readonly kind: "answers"; readonly answers: readonly AnswerItem[] }
  | { readonly kind: "count"; readonly id: number }
  | { readonly kind: "stop"; readonly graceMs: number };

/** From a worker to the primary. */
export type FromWorker =
  | { readonly kind: "hello" }
  | { readonly kind: "listening"; readonly url: string; readonly local: boolean }
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    }
  | { readonly kind: "in-force"; readonly version: number; readonly generation: string }
  | { readonly kind: "questions"; readonly questions: readonly QuestionItem[] }
  | { readonly kind: "counted"; readonly id: number; readonly counters: CounterSnapshot }
  | {
      readonly kind: "report";
      readonly counters: CounterSnapshot;
      readonly used: ReadonlyMap<string, number>;
    }
  | {
      readonly kind: "give-back";
      readonly lineage: string;
      readonly chargedAtMs: number;
      readonly unused: number;
    }
  | { readonly kind: "stopped" };

/** What a worker asks the primary, and what it gets. */
export interface Questions {
  readonly take: {
    readonly given: { readonly lineage: string; readonly limit: RateLimit };
    readonly answer: LimitDecision;
  };
  readonly reserve: {
    readonly given: {
      readonly lineage: string;
      readonly limit: RateLimit;
      readonly count: number;
      readonly leaseMs: number;
    };
    readonly answer: Lease;
  };
  readonly failed: {
    readonly given: { readonly address: string };
    readonly answer: FailureDecision;
  };
  readonly counters: { readonly given: null; readonly answer: CounterSnapshot };
  readonly generations: { readonly given: string; readonly answer: WorkerGenerations };
  /** Reads the keystore's file again; answered when every worker has what it holds in force. */
  readonly reload: { readonly given: null; readonly answer: null };
}

/** The name of a question. */
export type QuestionName = keyof Questions;

/** One question under way. */
export type QuestionItem = {
  readonly [Name in QuestionName]: {
    readonly id: number;
    readonly name: Name;
    readonly given: Questions[Name]["given"];
  };
}[QuestionName];

/** One answer; without a value where the primary could not answer. */
export interface AnswerItem {
  readonly id: number;
  readonly ok: boolean;
  readonly value: Questions[QuestionName]["answer"] | undefined;
}
