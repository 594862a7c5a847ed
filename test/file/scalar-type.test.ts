import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPlainNull, isPlainString } from "../../src/file/scalar-type.js";
import { describeWith } from "../helpers/requires.js";
import { pythonWithYaml } from "./yaml-1-1.js";

const STRINGS = ["a", "abc", "no1", "yesterday", "-", "1a", "0x", "12:99", "nullx", "a=b", "1__a"];
const OTHERS = [
  ...["y", "Y", "n", "N", "yes", "NO", "On", "off", "true", "False", "TRUE"],
  ...["0", "-1", "+1", "0123", "0o17", "0x1F", "0b11", "1_000", "1:30", "190:20:30"],
  ...["1.5", ".5", "1.", "1e3", "1E+3", "1.5e-3", ".inf", "-.INF", ".nan", "1:30.5", "1_0.5"],
  ...["2026-11-22", "2026-11-22T10:00:00Z", "2026-1-2 3:04:05.6 +01:00", "<<", "="],
];

describe("plain scalars", () => {
  it.each(STRINGS)("%s is a string", (text) => {
    expect(isPlainString(text)).toBe(true);
  });

  it.each(OTHERS)("%s is none", (text) => {
    expect(isPlainString(text)).toBe(false);
  });

  it.each(["", "~", "null", "Null", "NULL"])("%j is null", (text) => {
    expect(isPlainNull(text)).toBe(true);
    expect(isPlainString(text)).toBe(false);
  });
});

describeWith(pythonWithYaml, "what PyYAML resolves a plain scalar to", () => {
  it("is a string wherever ours is one", () => {
    const texts = fc.sample(
      fc.oneof(
        fc.stringMatching(/^[-+.]?[0-9][0-9_:.eExob+TZ-]{0,12}$/),
        fc.stringMatching(/^[-+]?[0-9_]{1,4}[:.][0-9_]{0,3}[:.e]?[0-9+-]{0,3}$/),
        fc.stringMatching(/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{2}:[0-9]{2}Z?)?$/),
        fc.stringMatching(/^[yYnNtTfFoO.~=<][a-zA-Z<=]{0,4}$/),
        fc.constantFrom(...STRINGS, ...OTHERS),
      ),
      20_000,
    );
    const script = `
import json, sys, yaml
loader = yaml.SafeLoader("")
texts = json.load(sys.stdin)
tags = [loader.resolve(yaml.ScalarNode, text, (True, False)) for text in texts]
json.dump([tag == "tag:yaml.org,2002:str" for tag in tags], sys.stdout)
`;
    const { stdout } = spawnSync(pythonWithYaml.python, ["-c", script], {
      input: JSON.stringify(texts),
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    const isTheirs = JSON.parse(stdout) as boolean[];
    expect(isTheirs).toHaveLength(texts.length);
    const differing = texts.filter((text, index) => isPlainString(text) && !isTheirs[index]);
    expect(differing).toEqual([]);
  });
});
