import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { digestOf } from "../../../src/core/digest.js";
import { mintToken } from "../../helpers/keystores.js";

/** Octets of a secret in a row that give it away. */
const TELLING = 10;

/** Secrets by where they were put, to be looked for wherever they must not be. */
export interface PlantedSecrets {
  /** A secret for a place, always the same for the same place. */
  readonly at: (place: string) => string;
  /** Fails where any secret, or a telling part of one, stands in a text. */
  readonly expectNoneIn: (text: string, where: string) => void;
}

export function plantSecrets(): PlantedSecrets {
  const planted = new Map<string, string>();
  return {
    at(place) {
      const secret = planted.get(place) ?? kinds[planted.size % kinds.length]?.() ?? mintToken();
      planted.set(place, secret);
      return secret;
    },
    expectNoneIn(text, where) {
      const found = [...planted].filter(([, secret]) => tellsOf(secret, text));
      expect(found.map(([place]) => `${place}: ${where}\n${text}`)).toEqual([]);
    },
  };
}

/** Tokens as `keys` mints them, as others do, and passwords: a letter first, so that YAML takes them. */
const kinds: readonly (() => string)[] = [
  mintToken,
  () => `sk_live_${randomBytes(18).toString("hex")}`,
  () => `p${randomBytes(32).toString("base64url")}`,
  () => `Tr0.${randomBytes(9).toString("hex")}`,
];

/** Whether a telling part of a secret stands in a text. */
export function tellsOf(secret: string, text: string): boolean {
  for (let at = 0; at + TELLING <= secret.length; at += 1) {
    if (text.includes(secret.slice(at, at + TELLING))) return true;
  }
  return false;
}

/** A digest of a token that nobody has. */
export function strangerDigest(): string {
  return digestOf(mintToken());
}

/**
 * Keystores with secrets in every place where somebody may have put one: where they belong, and
 * where they don't. Each holds a sound entry with `digest`, where it can be read at all.
 */
export function troubledKeystores(
  { at }: PlantedSecrets,
  digest: string,
): Readonly<Record<string, string | Buffer>> {
  const sound = `  "${digest}":\n    id: alice\n    created_at: "2026-01-01T00:00:00Z"\n`;
  const keys = `api_keys:\n${sound}`;
  const other = `  "${strangerDigest()}":\n`;
  return {
    "a service's configuration": serviceConfiguration(at, sound),
    "tokens for digests": `${keys}  "${at("map key")}":\n    id: bob\n  ${at("plain map key")}: { id: eve }\nretired_api_keys:\n  "${at("retired map key")}": { id: x, state: revoked, retired_at: "2026-01-01T00:00:00Z" }\n`,
    "flat entries": `${keys}  "${strangerDigest()}": bob\n  "${at("flat key")}": eve\n`,
    "a flat entry that can be migrated": `api_key: ${at("api_key to migrate")}\n${keys}  "${strangerDigest()}": bob\n`,
    "a list of tokens": `api_keys:\n  - ${at("list item")}\n  - ${at("other list item")}\n`,
    "a token for a block": `api_keys: ${at("block")}\n`,
    "raw keys that are no text": `api_key: [${at("api_key item")}]\nadmin_api_key: { x: ${at("admin item")} }\n${keys}`,
    "a raw admin digest": `admin_api_key_sha256: ${at("admin digest")}\n${keys}`,
    "raw keys twice": `api_key: ${at("api_key once")}\napi_key: ${at("api_key twice")}\n${keys}`,
    "an admin key in the keystore": `admin_api_key: ${at("admin in keystore")}\n${keys}  "${digestOf(at("admin in keystore"))}": { id: bob }\n`,
    "an admin key that is the api_key": `admin_api_key: ${at("both")}\napi_key: ${at("both")}\n${keys}`,
    "a retired api_key": `api_key: ${at("retired api_key")}\n${keys}retired_api_keys:\n  "${digestOf(at("retired api_key"))}": { id: owner, state: revoked, retired_at: "2026-01-01T00:00:00Z" }\n`,
    "fields that hold no such thing": `${keys}${other}    id: bob\n    expires_at: ${at("expires_at")}\n    not_before: "${at("not_before")}"\n    rate_limit: ${at("rate_limit")}\n    scopes: 'a"${at("scopes")}'\n    workspaces: 'a"${at("workspaces")}'\n`,
    "fields that are no text": `${keys}${other}    id: [${at("id item")}]\n    label: { x: ${at("label item")} }\n    ${at("field name")}: x\n    ? [${at("field list")}]\n    : x\n    expiry: ${at("misspelt")}\n`,
    "tags, anchors and aliases": `base: &${at("anchor")} { id: ${at("anchored")} }\n${keys}    label: !${at("tag")} ${at("tagged")}\n${other}    <<: *${at("anchor")}\n`,
    "an alias to nothing": `${keys}    label: *${at("unknown alias")}\n`,
    "a directive": `%YAML 1.1 ${at("directive")}\n%${at("other directive")} x\n---\n${keys}`,
    "several documents": `${keys}---\npassword: ${at("second document")}\n...\n--- ${at("third document")}\n`,
    "a quote left open": `password: "${at("open quote")}\n${keys}`,
    "a bracket left open": `passwords: [${at("open bracket")}, ${at("in open bracket")}\n${keys}`,
    "a tab for indentation": `password:\n\t${at("after tab")}: x\n${keys}`,
    "bad indentation": `one:\n    password: ${at("deep")}\n  other: ${at("less deep")}\n${keys}`,
    "two colons in a line": `password: ${at("first")}: ${at("second")}\n${keys}`,
    "a character that can't begin": `password: @${at("at sign")}\nother: \`${at("back tick")}\n${keys}`,
    "an escape that is none": `password: "\\q${at("bad escape")}"\n${keys}`,
    "a line of nothing": `${keys}${at("loose line")}\n`,
    "a block text": `secret: |x${at("block header")}\n  ${at("block text")}\n ${at("less indented")}\n${keys}`,
    "a control character": `password: "${at("before control")}\u0007${at("after control")}"\n${keys}`,
    "a line separator": `password: ${at("before separator")}\u2028${at("after separator")}\n${keys}`,
    "octets that are no text": Buffer.concat([
      Buffer.from(`password: ${at("before octets")}`),
      Buffer.from([0xff, 0xc3, 0x28]),
      Buffer.from(`${at("after octets")}\n${keys}`),
    ]),
    "no mapping at all": `${at("bare")}\n`,
    "a sequence": `- ${at("root item")}\n`,
  };
}

function serviceConfiguration(at: PlantedSecrets["at"], sound: string): string {
  return [
    `# The old password was ${at("comment")}`,
    `api_key: "${at("api_key")}"`,
    `admin_api_key: '${at("admin_api_key")}'  # not ${at("end comment")}`,
    `database: &${at("service anchor")}`,
    `  password: ${at("setting")}`,
    `  ${at("setting name")}: x`,
    `copy: *${at("service anchor")}`,
    `private: !!str |`,
    `  ${at("private key")}`,
    `flow: { token: ${at("flow setting")}, list: [${at("flow item")}] }`,
    `api_keys:`,
    `  # was ${at("comment in the block")}`,
    `${sound}    note: ${at("unknown field")} # ${at("comment in the entry")}`,
    `    ${at("unknown field name")}: x`,
    `retired_api_keys:`,
    `  "${strangerDigest()}":`,
    `    id: bob`,
    `    state: revoked`,
    `    retired_at: "2026-01-01T00:00:00Z"`,
    `    note: ${at("retired unknown field")}`,
    `tail: ${at("tail")}`,
    "",
  ].join("\n");
}
