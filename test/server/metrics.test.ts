import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { addCounters, createCounters, DURATION_BOUNDS } from "../../src/server/counters.js";
import { describeWith, runs } from "../helpers/requires.js";
import { appOf, entryOf, headerOf, keystoreOf, NOW, requestOf, type App } from "./requests.js";

const keystore = keystoreOf(
  entryOf("token-a", { id: "alice", rate_limit: "1/1h" }),
  entryOf("token-b", { id: "bob", expires_at: "2026-11-22T12:00:01Z" }),
  entryOf("token-r", { id: "r", state: "revoked", retired_at: "2026-01-01T00:00:00Z" }, "retired"),
  entryOf("token-d", { id: "d", state: "disabled", retired_at: "2026-01-01T00:00:00Z" }, "retired"),
);

/** A server that has given one verdict of each kind that it can. */
function used(): App {
  const app = appOf(keystore);
  app.get("/verify", "token-a");
  app.get("/verify", "token-a");
  app.get("/nginx", "token-b");
  app.get("/verify", "nobody");
  app.get("/verify");
  app.get("/verify?x=y");
  app.get("/verify?scope=x", "token-b");
  app.ask(requestOf("/verify", { "X-API-Key": "" }));
  app.get("/healthz");
  app.setNow(NOW + 5000);
  return app;
}

// Prints every sample as `name{labels}` and its value, by the parser that the field itself uses.
const PARSER = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {"types": {}, "samples": {}}
for family in text_string_to_metric_families(sys.stdin.read()):
    found["types"][family.name] = family.type
    for sample in family.samples:
        labels = ",".join("%s=%s" % pair for pair in sorted(sample.labels.items()))
        found["samples"][sample.name + "{" + labels + "}"] = sample.value
print(json.dumps(found))
`;

interface Parsed {
  types: Record<string, string>;
  samples: Record<string, number>;
}

function parse(text: string): Parsed {
  const ran = spawnSync("/usr/bin/python3", ["-c", PARSER], { input: text, encoding: "utf8" });
  expect(ran.stderr).toBe("");
  return JSON.parse(ran.stdout) as Parsed;
}

const prometheus = {
  needs: "python3-prometheus-client",
  why: "reads the metrics by the parser that the field itself uses",
  available: runs("/usr/bin/python3", "-c", "import prometheus_client.openmetrics.parser"),
};

describeWith(prometheus, "the metrics", () => {
  it("are OpenMetrics, with the names of HTTP.md", () => {
    const app = used();
    const { types, samples } = parse(app.get("/metrics").body);
    expect(types).toEqual({
      keys_verify: "counter",
      keys_verify_duration_seconds: "histogram",
      keys_keystore_keys: "gauge",
      keys_keystore_loads: "counter",
      keys_keystore: "info",
      keys_last_used_dropped: "counter",
    });
    expect(samples).toMatchObject({
      "keys_verify_total{verdict=ok}": 2,
      "keys_verify_total{verdict=rate_limited}": 1,
      "keys_verify_total{verdict=invalid_token}": 1,
      "keys_verify_total{verdict=unauthenticated}": 1,
      "keys_verify_total{verdict=misconfigured}": 1,
      "keys_verify_total{verdict=insufficient_scope}": 1,
      "keys_verify_total{verdict=invalid_request}": 1,
      "keys_verify_total{verdict=unavailable}": 0,
      "keys_verify_duration_seconds_count{}": 8,
      "keys_verify_duration_seconds_bucket{le=+Inf}": 8,
      "keys_keystore_keys{state=live}": 1,
      "keys_keystore_keys{state=expired}": 1,
      "keys_keystore_keys{state=revoked}": 1,
      "keys_keystore_keys{state=disabled}": 1,
      "keys_keystore_keys{state=rotated}": 0,
      [`keys_keystore_info{generation=${app.state.snapshot().generation}}`]: 1,
      "keys_last_used_dropped_total{}": 0,
    });
    expect(samples["keys_verify_duration_seconds_sum{}"]).toBeGreaterThan(0);
  });
});

describe("GET /metrics", () => {
  it("has the media type of OpenMetrics and ends as it demands", () => {
    const answer = used().get("/metrics");
    expect(headerOf(answer, "Content-Type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    expect(answer.body.endsWith("\n# EOF\n")).toBe(true);
  });

  it("tells no token, digest, id or path", () => {
    const { body } = used().get("/metrics");
    expect(body).not.toMatch(/alice|bob|token-|nobody|\//);
    for (const token of ["token-a", "token-b", "nobody"]) {
      expect(body).not.toContain(digestOf(token).slice(0, 12));
    }
  });

  it("counts what a defect denied", () => {
    const app = appOf(keystore, {
      services: {
        takeLimit: () => {
          throw new Error("defect");
        },
      },
      onFault: () => undefined,
    });
    app.get("/verify", "token-a");
    expect(app.get("/metrics").body).toContain('keys_verify_total{verdict="unavailable"} 1\n');
  });
});

describe("counters", () => {
  it("of several processes add up", () => {
    const [a, b] = [createCounters(), createCounters()];
    a.verdict("ok", 0.00001);
    b.verdict("ok", 0.002);
    b.verdict("invalid_token", 100);
    b.load("refused");
    a.lastUsedDropped(2);
    b.lastUsedDropped(3);
    const sum = addCounters(a.snapshot(), b.snapshot());
    expect(sum.verdicts).toMatchObject({ ok: 2, invalid_token: 1, rate_limited: 0 });
    expect(sum.durations).toHaveLength(DURATION_BOUNDS.length + 1);
    expect(sum.durations[0]).toBe(1);
    expect(sum.durations[DURATION_BOUNDS.indexOf(0.0025)]).toBe(1);
    expect(sum.durations.at(-1)).toBe(1);
    expect(sum.durationSum).toBeCloseTo(100.00201);
    expect(sum.loads).toEqual({ applied: 0, refused: 1 });
    expect(sum.lastUsedDropped).toBe(5);
  });
});

describe("GET /status", () => {
  it("tells booleans and counts, and how many workers are up to date", async () => {
    const app = appOf(keystore, {
      defaultLimit: { requests: 1, windowMs: 1000 },
      services: { generations: () => Promise.resolve({ workers: 4, current: 3 }) },
    });
    app.setNow(NOW + 5000);
    const { reply } = await app.wait(requestOf("/status"));
    expect(JSON.parse(reply.answer.body)).toEqual({
      ready: true,
      degraded: false,
      generation: app.state.snapshot().generation,
      age_s: 5,
      workers: 4,
      workers_current: 3,
      keys: { live: 1, expired: 1, revoked: 1, disabled: 1, rotated: 0 },
      admin_key: false,
      default_rate_limit: true,
      system_token: false,
      impersonation: false,
      unauthenticated: false,
    });
  });

  it("is that of one worker where the server is one process", () => {
    expect(JSON.parse(appOf(keystore).get("/status").body)).toMatchObject({
      workers: 1,
      workers_current: 1,
    });
  });
});
