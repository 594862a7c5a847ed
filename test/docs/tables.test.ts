import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { EXIT_STATUS } from "../../src/cli/exit-codes.js";
import { longOf } from "../../src/cli/option.js";
import type { KeysErrorCode } from "../../src/errors.js";
import { DIAGNOSTICS, type DiagnosticScope } from "../../src/file/diagnostic.js";

/** When an operator meets each error; `npx vitest run --project unit -u test/docs` writes the page. */
const MEANINGS: Readonly<Record<KeysErrorCode, string>> = {
  "already-exists":
    "`init`: a live key stands in the keystore already; `config --map`: the file is no map of keys",
  "audit-broken": "`audit verify`: the chain of the audit log does not hold",
  "audit-unwritable":
    "the change can't be recorded in the audit log and would give access, so it was not made",
  "confirmation-refused": "the answer to the question was no",
  "confirmation-required": "a destructive command ran without a terminal and without `--yes`",
  "digest-exists": "the digest to be added stands in the file already, live or retired",
  "edit-mismatch":
    "the file is written in a way that the edit does not fit; found before anything was written",
  "file-changing": "the file kept changing while it was read or edited",
  "file-is-directory": "the path names a directory",
  "file-not-found": "there is no such file, or no such directory for it",
  "file-unreadable": "the file can't be read: permissions, or not a regular file",
  "file-unwritable": "the file can't be written: permissions, a full disk, a read-only file system",
  "haproxy-failed": "`config haproxy --keep`: HAProxy can't be reached, or did not take a change",
  "id-invalid": "a contributor's id has characters that `create` does not accept",
  "id-reserved": "`system` and `anonymous` name nobody",
  internal: "a defect in keyhold; please report it",
  interrupted: "Ctrl-C or a signal; nothing was changed",
  "key-ambiguous": "more than one key is meant; they are listed",
  "key-not-found": "no such key stands in the file",
  "key-state": "the key is in a state that the command does not apply to",
  "keystore-invalid": "the file has errors that keep the command from working on it",
  "listen-failed": "the server can't listen there: the port is in use or not allowed",
  "lock-timeout":
    "another process kept the file locked for 60 seconds, or another `config haproxy --keep` keeps the map",
  "mount-point": "the file is itself a mount point, so that it can't be replaced as a whole",
  "not-everywhere":
    "`revoke --wait`: the change is made, and not every server had it in force in time",
  "output-failed": "the token could not be shown, or the output could not be written",
  "peer-answer-invalid":
    "a server's answer is not what its interface gives, or a redirect, or too long",
  "peer-refused": "a server does not take the admin token, has no admin key, or could not do it",
  "peer-unreachable":
    "a server can't be asked: no connection, no trust in its certificate, no answer",
  "push-incomplete":
    "`push`: some keys were not sent, or the server refused them; what was done is in the result",
  "tls-invalid": "certificate and key can't be read, or don't belong together",
  "token-file-exists": "`--token-file` names a path that exists",
  "token-file-exposed": "a file that holds a token can be read or written by others than its owner",
  "token-malformed": "what stdin gave is no token: white space, control characters, or nothing",
  "token-weak": "the token is one that everybody knows, or too short",
  usage: "the command line can't be understood",
  "value-invalid": "an option's value can't be understood",
};

const STATUSES: readonly (readonly [number, string])[] = [
  [0, "done, or valid"],
  [
    1,
    "could not be done: files, locks, a refused confirmation, a busy port, a server that can't be asked",
  ],
  [2, "usage: the command line, or a value in it, can't be understood"],
  [3, "the keystore is invalid"],
  [4, "not found: no such file or key, or more than one key is meant"],
  [5, "`identify`: the token is not valid; `audit verify`: the chain is broken"],
  [130, "interrupted"],
];

const SCOPES: Readonly<Record<DiagnosticScope, string>> = {
  always: "",
  policy: "where a policy asks",
  start: "at a start in that mode",
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  return lines.join("\n");
}

function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, ...parts].join("\n\n")}\n`;
}

describe("documents made from the code", () => {
  it("docs/diagnostics.md lists every diagnostic", async () => {
    const rows = Object.entries(DIAGNOSTICS).map(([code, { severity, scope, message, hint }]) => [
      `\`${code}\``,
      severity,
      message,
      hint,
      SCOPES[scope],
    ]);
    const text = page(
      "Diagnostics",
      "Everything that `keys validate`, `keys serve` and every other command can say of a keystore. Codes are stable; sentences may change. Each comes with a path, a line and a column (both counted from 1; columns in characters) and a hint; none ever shows a secret: a map key that is not a digest appears as `<not a digest, 43 characters>`.",
      "An **error** keeps a file from being served. A **warning** does not, unless `keys validate --strict` makes it an error; `file-permissions` and `owner-mismatch` stay warnings even then, since git can't keep what they are about.",
      "This page is made from the code (`src/file/diagnostic.ts`), and CI compares the two.",
      table(["code", "severity", "what is wrong", "what to do", "given"], rows),
    );
    await expect(text).toMatchFileSnapshot("../../docs/diagnostics.md");
  });

  it("docs/exit-codes.md lists every exit status and error code", async () => {
    const rows = Object.entries(EXIT_STATUS).map(([code, status]) => [
      `\`${code}\``,
      String(status),
      MEANINGS[code as KeysErrorCode],
    ]);
    const text = page(
      "Exit statuses and error codes",
      "Scripts may rely on both; sentences may change.",
      table(
        ["exit", "meaning"],
        STATUSES.map(([status, meaning]) => [String(status), meaning]),
      ),
      'With `--json` an error is `{"error":{"code","message","hint"}}` on stdout, where the command has no result of its own to give.',
      table(["code", "exit", "when"], rows),
      "`keys validate` of several files exits with the gravest of what it found. `identify` gives its verdict on stdout whatever its exit status.",
      "This page is made from the code (`src/cli/exit-codes.ts`), and CI compares the two.",
    );
    await expect(text).toMatchFileSnapshot("../../docs/exit-codes.md");
  });

  it("docs/verify-server.md lists every option of the server, its variable and what it does", () => {
    const options = COMMANDS.find(({ name }) => name === "serve")?.options ?? [];
    const rows = options
      .filter(({ flags }) => flags !== "--check")
      .map(({ flags, description }) => {
        const variable = `KEYS_${longOf(flags).slice(2).replaceAll("-", "_").toUpperCase()}`;
        return [flags, variable, description].join(" | ");
      });
    const page = readFileSync(new URL("../../docs/verify-server.md", import.meta.url), "utf8");
    const listed = page
      .split("\n")
      .filter((line) => line.startsWith("| `--"))
      .map((line) => line.replaceAll("`", "").split("|").slice(1, -1))
      .map((cells) => cells.map((cell) => cell.trim()).join(" | "));
    expect(listed).toEqual(rows);
  });
});
