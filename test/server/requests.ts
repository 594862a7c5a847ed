import { digestOfHeader } from "../../src/core/digest.js";
import { createEntry, type Entry, type EntryPlace } from "../../src/core/entry.js";
import { createKeystore, type Keystore } from "../../src/core/keystore.js";
import { DocumentMemory } from "../../src/file/document-memory.js";
import type { Answer } from "../../src/core/problem.js";
import type { AuditNote } from "../../src/file/audit.js";
import type { StoredKeystore } from "../../src/file/store.js";
import { createCounters } from "../../src/server/counters.js";
import { createKeystoreState, type KeystoreState } from "../../src/server/keystore-state.js";
import { createKeystoreEdit } from "../../src/server/keystore-edit.js";
import { createLocalServices } from "../../src/server/local-services.js";
import { splitTarget, type KeysRequest } from "../../src/server/message.js";
import {
  createRouter,
  type RoutedReply,
  type RouteOptions,
  type Router,
} from "../../src/server/routes.js";
import type { ServerEvent } from "../../src/server/server-event.js";
import type { Services } from "../../src/server/services.js";

/** The instant at which the tests of the server take place. */
export const NOW: number = Date.parse("2026-11-22T12:00:00Z");

/** An entry of a token. */
export function entryOf(
  token: string,
  fields: Readonly<Record<string, string>>,
  place: EntryPlace = "live",
): Entry {
  return createEntry(digestOfHeader(token), new Map(Object.entries(fields)), { place });
}

/** A keystore of entries. */
export function keystoreOf(...entries: readonly Entry[]): Keystore {
  const at = (retired: boolean): Map<string, Entry> =>
    new Map(
      entries
        .filter(({ place }) => (place === "retired") === retired)
        .map((entry) => [entry.digest, entry]),
    );
  return createKeystore({ live: at(false), retired: at(true) });
}

/** A request as a client sends it. */
export function requestOf(
  target: string,
  headers: Readonly<Record<string, string>> | readonly string[] = {},
  method = "GET",
): KeysRequest {
  const rawHeaders = Array.isArray(headers)
    ? (headers as readonly string[])
    : Object.entries(headers).flat();
  return { method, ...splitTarget(target), rawHeaders };
}

/** How a server differs from the plainest one. */
export interface AppOptions extends Partial<Omit<RouteOptions, "state" | "services">> {
  /** The keystore's file, for what edits it. */
  readonly path?: string;
  /** Where its changes are recorded; default beside it. */
  readonly auditFile?: string;
  readonly services?: Partial<Services>;
}

/** The server without a socket. */
export interface App {
  readonly state: KeystoreState;
  /** The digests of the keys that were used. */
  readonly used: readonly string[];
  /** What was written to the audit log. */
  readonly notes: readonly AuditNote[];
  /** What the server told of itself. */
  readonly events: readonly ServerEvent[];
  /** Moves the clock. */
  setNow(ms: number): void;
  /** What is answered at once. */
  ask(request: KeysRequest): RoutedReply;
  /** What is answered at once or later. */
  wait(request: KeysRequest): Promise<RoutedReply>;
  /** The client's address, for the log. */
  readonly clientOf: Router["clientOf"];
  /** A GET with a Bearer token, where one is given. */
  get(target: string, token?: string): Answer;
}

/** A server over a keystore, without a socket. */
export function appOf(keystore: Keystore, options: AppOptions = {}): App {
  let now = NOW;
  const clock = (): number => now;
  const state = createKeystoreState(keystore, clock);
  const counters = createCounters();
  const used: string[] = [];
  const notes: AuditNote[] = [];
  const events: ServerEvent[] = [];
  const { path = "", auditFile } = options;
  const edit = createKeystoreEdit({
    path,
    auditFile,
    policy: () => ({ nowMs: now }),
    now: clock,
    report: (event) => events.push(event),
    memory: new DocumentMemory(),
  });
  const services = {
    ...createLocalServices({
      path,
      edit,
      state,
      counters,
      monotonicMs: clock,
      auditFile,
      now: clock,
      used: (digest) => used.push(digest),
    }),
    audit: (note: AuditNote) => {
      notes.push(note);
      return Promise.resolve();
    },
    ...options.services,
  };
  const router = createRouter({
    version: "1.2.3",
    realm: "keys",
    onFault: (error) => {
      throw error;
    },
    now: clock,
    counters,
    ...options,
    state,
    services,
  });
  function ask(request: KeysRequest): RoutedReply {
    const routed = router.answer(request);
    if (routed instanceof Promise) throw new Error("not answered at once");
    return routed;
  }
  return {
    state,
    used,
    notes,
    events,
    setNow: (ms) => {
      now = ms;
    },
    ask,
    clientOf: (remote, rawHeaders) => router.clientOf(remote, rawHeaders),
    wait: async (request) => router.answer(request),
    get: (target, token) =>
      ask(requestOf(target, token === undefined ? {} : { Authorization: `Bearer ${token}` })).reply
        .answer,
  };
}

/** A request with a body. */
export function bodyRequest(
  method: string,
  target: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): KeysRequest {
  return { ...requestOf(target, headers, method), body: Buffer.from(body) };
}

/** A header's value, by its exact name; undefined where the answer has none. */
export function headerOf(answer: Answer, name: string): string | undefined {
  const at = answer.headers.findIndex((text, index) => index % 2 === 0 && text === name);
  return at === -1 ? undefined : answer.headers[at + 1];
}

/** The `error` member of a problem. */
export function errorOf(answer: Answer): unknown {
  return (JSON.parse(answer.body) as { error?: unknown }).error;
}

/** A file without a fault that holds a keystore. */
export function storeOf(keystore: Keystore): StoredKeystore {
  const diagnostics: StoredKeystore["diagnostics"] = [];
  const document = {
    text: "",
    bytes: new Uint8Array(),
    pairs: undefined,
    diagnostics,
    keystore,
    misplaced: new Set<string>(),
    layout: undefined,
    root: undefined,
  };
  return { path: "keys.yaml", exists: true, diagnostics, document };
}
