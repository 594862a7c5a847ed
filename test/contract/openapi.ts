import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

/** The description of the server's answers. */
export const DOCUMENT_PATH: string = join(import.meta.dirname, "../../docs/openapi.yaml");

/** Any mapping of the document. */
interface Node {
  readonly [name: string]: unknown;
}

/** An answer, and what was asked for it. */
export interface Exchange {
  readonly method: string;
  /** As it was sent, with its query. */
  readonly target: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const ID = "keys";
/** Headers that an answer may not have unless the document says so. */
const TELLING = /^(?:x-auth-|x-keys-|ratelimit|retry-after$|www-authenticate$)/;

const document = parse(readFileSync(DOCUMENT_PATH, "utf8"), { maxAliasCount: -1 }) as Node;
// The document around the schemas has words that ajv does not know.
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, ID);
const compiled = new Map<string, ValidateFunction>();

/** Every path of the document. */
export const PATHS: readonly string[] = Object.keys(nodeAt("/paths"));

/** What of an answer is not as the document says; empty where all is. */
export function disagreements({ method, target, status, headers, body }: Exchange): string[] {
  const path = pathOf(target.split("?", 1)[0] ?? "");
  const where = `${method} ${target} → ${status}`;
  if (path === undefined) {
    return status === 404 ? [] : [`${where}: a path that is not described`];
  }
  const item = pointer("/paths", path);
  const operation = `${item}/${method.toLowerCase()}`;
  if (!has(operation)) {
    return [405, 501].includes(status) ? [] : [`${where}: a method that is not described`];
  }
  const responses = `${operation}/responses`;
  const own = `${responses}/${status}`;
  const response = resolved(has(own) ? own : `${responses}/default`);
  return [
    ...headerProblems(response, headers),
    ...bodyProblems(response, headers["content-type"], method === "HEAD" ? undefined : body),
  ].map((problem) => `${where}: ${problem}`);
}

function headerProblems(response: string, headers: IncomingHttpHeaders): string[] {
  const described = has(`${response}/headers`) ? nodeAt(`${response}/headers`) : {};
  const names = new Set(Object.keys(described).map((name) => name.toLowerCase()));
  const isDefault = response.endsWith("/Problem");
  const surplus = Object.keys(headers).filter(
    (name) => !isDefault && TELLING.test(name) && !names.has(name),
  );
  const wrong = Object.keys(described).flatMap((name) => {
    const at = resolved(pointer(`${response}/headers`, name));
    const value = headers[name.toLowerCase()];
    if (value === undefined) {
      return nodeAt(at)["required"] === true ? [`${name} is missing`] : [];
    }
    return schemaProblems(`${at}/schema`, value).map((problem) => `${name}: ${problem}`);
  });
  return [...surplus.map((name) => `${name} is not described`), ...wrong];
}

function bodyProblems(
  response: string,
  contentType: string | undefined,
  body: string | undefined,
): string[] {
  if (!has(`${response}/content`)) {
    return body === undefined || body === "" ? [] : ["a body that is not described"];
  }
  const type = contentType?.split(";", 1)[0] ?? "none";
  const content = pointer(`${response}/content`, type);
  if (!has(content)) return [`content type ${type} is not described`];
  if (body === undefined) return [];
  const value: unknown = /[/+]json$/.test(type) ? JSON.parse(body) : body;
  return schemaProblems(`${content}/schema`, value);
}

function schemaProblems(at: string, value: unknown): string[] {
  let validate = compiled.get(at);
  if (validate === undefined) {
    validate = ajv.compile({ $ref: `${ID}#${at}` });
    compiled.set(at, validate);
  }
  if (validate(value)) return [];
  return [`${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`];
}

function pathOf(path: string): string | undefined {
  if (has(pointer("/paths", path))) return path;
  // A template's `{rest}` is whatever is left, slashes included.
  return PATHS.filter((template) => template.includes("{")).find((template) => {
    const pattern = template
      .replace(/[.*+?^$()|[\]\\-]/g, "\\$&")
      .replace("{rest}", ".*")
      .replace(/\{\w+\}/g, "[^/]*");
    return new RegExp(`^${pattern}$`).test(path);
  });
}

function pointer(parent: string, name: string): string {
  return `${parent}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function find(at: string): unknown {
  let value: unknown = document;
  for (const part of at.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Node)[name];
  }
  return value;
}

function has(at: string): boolean {
  return find(at) !== undefined;
}

function nodeAt(at: string): Node {
  const value = find(at);
  if (typeof value !== "object" || value === null) throw new Error(`nothing is at ${at}`);
  return value as Node;
}

/** Where a reference leads to. */
function resolved(at: string): string {
  const reference = nodeAt(at)["$ref"];
  return typeof reference === "string" ? resolved(reference.replace(/^#/, "")) : at;
}
