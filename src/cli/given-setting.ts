import type { Context } from "./context.js";
import { invalid, refuseToken } from "./values.js";

/** The settings of `keys serve`: the long names of its options, without the dashes in front. */
export type ServeSettingName =
  | "host"
  | "port"
  | "socket"
  | "tls-cert"
  | "tls-key"
  | "workers"
  | "rate-limit"
  | "realm"
  | "issuer"
  | "user-header"
  | "sweep"
  | "peers"
  | "audit-file"
  | "usage-file"
  | "allow-empty"
  | "allow-unauthenticated"
  | "system-token-file"
  | "allow-impersonation"
  | "log"
  | "trusted-proxy";

/** Settings that may be given several times; a variable holds several apart by spaces or commas. */
const LISTS: ReadonlySet<ServeSettingName> = new Set(["user-header", "trusted-proxy"]);

/** What the command line gives for the options: texts, lists and switches by camel-cased name. */
export type GivenOptions = Readonly<
  Record<string, string | readonly string[] | boolean | undefined>
>;

/** A setting as it was given. */
export interface GivenSetting {
  /** The option or the variable, as an error names it. */
  readonly source: string;
  readonly by: "option" | "variable";
  readonly values: readonly string[];
}

/** How settings were given: an option goes before its variable, an empty variable is none. */
export class GivenSettings {
  readonly #context: Context;
  readonly #options: GivenOptions;

  constructor(context: Context, options: GivenOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** A setting, or undefined where it was not given. @throws KeysError `value-invalid` */
  find(name: ServeSettingName): GivenSetting | undefined {
    const option = this.#options[camelCase(name)];
    if (option !== undefined) {
      const values = typeof option === "object" ? option : [String(option)];
      return { source: `--${name}`, by: "option", values };
    }
    const variable = variableOf(name);
    const text = this.#context.io.env[variable] ?? "";
    if (text === "") return undefined;
    refuseToken(variable, text);
    const values = LISTS.has(name) ? text.split(/[\s,]+/).filter((word) => word !== "") : [text];
    return { source: variable, by: "variable", values };
  }

  /** The only value of a setting, with what it was given by. */
  value(name: ServeSettingName): { readonly source: string; readonly text: string } | undefined {
    const given = this.find(name);
    return given === undefined ? undefined : { source: given.source, text: given.values[0] ?? "" };
  }

  /** A switch: the option, or a variable that says yes. @throws KeysError `value-invalid` */
  isOn(name: ServeSettingName): boolean {
    const given = this.value(name);
    const text = given?.text.toLowerCase() ?? "no";
    if (["1", "true", "yes"].includes(text)) return true;
    if (["0", "false", "no"].includes(text)) return false;
    throw invalid(
      given?.source ?? name,
      "is neither yes nor no",
      "1 or 0, true or false, yes or no",
    );
  }
}

/** The variable that may stand in an option's place: `KEYS_TLS_CERT` for `--tls-cert`. */
function variableOf(name: ServeSettingName): string {
  return `KEYS_${name.replaceAll("-", "_").toUpperCase()}`;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
