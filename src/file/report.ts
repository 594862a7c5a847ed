import { DIAGNOSTICS, type Diagnostic, type DiagnosticCode } from "./diagnostic.js";
import type { Position } from "./position.js";

/** What to say instead of a code's own sentence or hint. */
export interface ReportWords {
  readonly message?: string | undefined;
  readonly hint?: string | undefined;
}

/** Finds the places of offsets; quickest for offsets that are asked in order. */
export interface Places {
  find(offset: number): Position;
}

/** Collects what is wrong with one text, and puts it in file order. */
export class Report {
  readonly #places: () => Places;
  readonly #found: { offset: number; diagnostic: Omit<Diagnostic, "line" | "column"> }[] = [];
  #errors = 0;

  /** @param places - of the text that offsets count in; asked for only where something is wrong. */
  constructor(places: () => Places) {
    this.#places = places;
  }

  /** How many errors so far. */
  get errors(): number {
    return this.#errors;
  }

  /** Adds a problem at an offset of the text. `path` must be masked already. */
  add(
    code: DiagnosticCode,
    path: readonly string[],
    offset: number,
    words: ReportWords = {},
  ): void {
    const rule = DIAGNOSTICS[code];
    if (rule.severity === "error") this.#errors += 1;
    this.#found.push({
      offset,
      diagnostic: {
        severity: rule.severity,
        code,
        path,
        message: words.message ?? rule.message,
        hint: words.hint ?? rule.hint,
      },
    });
  }

  /** Everything found, in file order; at one place in the order it was found. */
  diagnostics(): Diagnostic[] {
    if (this.#found.length === 0) return [];
    const finder = this.#places();
    return this.#found
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, diagnostic: { severity, code, path, message, hint } }) => ({
        severity,
        code,
        path,
        ...finder.find(offset),
        message,
        hint,
      }));
  }
}
