import type { Keystore } from "../core/keystore.js";
import type { Diagnostic } from "./diagnostic.js";
import type { KeystoreDocument } from "./document.js";
import { layOut, type Layout } from "./layout.js";
import type { LineChange } from "./line-change.js";
import type { Scan } from "./scan/scan.js";
import type { SyntaxNode } from "./syntax.js";
import { readSyntax } from "./yaml-reader.js";

/** What is known of the edit that made a document. */
export interface ScannedEdit {
  /** The lines that changed, worked out where somebody asks. */
  readonly changes?: () => readonly LineChange[];
  readonly touched?: ReadonlySet<string>;
}

/** A document that was scanned: its text and its tree are made only where somebody asks for them. */
export class ScannedDocument implements KeystoreDocument {
  readonly scan: Scan;
  readonly misplaced: ReadonlySet<string> = new Set();
  readonly touched?: ReadonlySet<string>;
  readonly #changes: (() => readonly LineChange[]) | undefined;
  #text: string | undefined;
  #root: SyntaxNode | undefined;
  #layout: Layout | undefined;

  constructor(scan: Scan, edit: ScannedEdit = {}) {
    this.scan = scan;
    this.#changes = edit.changes;
    if (edit.touched !== undefined) this.touched = edit.touched;
  }

  get changes(): readonly LineChange[] {
    return this.#changes?.() ?? [];
  }

  get bytes(): Uint8Array {
    return this.scan.bytes;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.scan.diagnostics;
  }

  get keystore(): Keystore {
    return this.scan.keystore;
  }

  get pairs(): Layout["pairs"] {
    return this.scan.pairs;
  }

  get text(): string {
    return (this.#text ??= this.scan.bytes.toString());
  }

  get root(): SyntaxNode | undefined {
    return (this.#root ??= readSyntax(this.text).root);
  }

  get layout(): Layout | undefined {
    const { root } = this;
    return (this.#layout ??= root === undefined ? undefined : layOut(root));
  }
}
