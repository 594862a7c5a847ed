/**
 * What a plain scalar is to the two kinds of reader there are. A scalar that either takes for
 * something else than text is no string (KEYSTORE.md, invariant 3).
 */

/** The 1.2 core schema (YAML 1.2.2 §10.3.2). */
const CORE: readonly RegExp[] = [
  /^(?:true|True|TRUE|false|False|FALSE)$/,
  /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/,
  /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/,
  /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
];

/** YAML 1.1 as PyYAML's SafeLoader resolves it, and the letters `y Y n N` of its type repository. */
const YAML_1_1: readonly RegExp[] = [
  /^(?:y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/,
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$/,
  /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/,
  /^[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/,
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$/,
  /^(?:<<|=)$/,
  /^[!&*]$/,
];

// Only texts that start or end like this can match any of the above.
const SUSPICIOUS = /^[-+.0-9~<=!&*yYnNtTfFoO]/;

const NULL = /^(?:~|null|Null|NULL|)$/;

/** Whether a plain scalar is null to every reader: nothing, `~`, or `null`. */
export function isPlainNull(text: string): boolean {
  return NULL.test(text);
}

/** Whether a plain scalar is the very same text to every reader. */
export function isPlainString(text: string): boolean {
  if (text === "") return false;
  if (!SUSPICIOUS.test(text)) return true;
  if (isPlainNull(text)) return false;
  return !CORE.some((form) => form.test(text)) && !YAML_1_1.some((form) => form.test(text));
}
