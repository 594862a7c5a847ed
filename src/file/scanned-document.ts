import type { Keystore } from "../core/keystore.js";
import type { Diagnostic } from "./diagnostic.js";
import type { KeystoreDocument } from "./document.js";
import { layOut, type Layout } from "./layout.js";
import type { LineChange } from "./line-change.js";
import type { Scan } from "./scan/scan.js";
import type { SyntaxNode } from "./syntax.js";
import { readSyntax } from "./yaml-reader.js";

/** A document that was scanned: its text and its tree are made only where somebody asks for them. */
export class ScannedDocument implements KeystoreDocument {
  readonly scan: Scan;
  readonly changes?: readonly LineChange[];
  readonly misplaced: ReadonlySet<string> = new Set();
  #text: string | undefined;
  #root: SyntaxNode | undefined;
  #layout: Layout | undefined;

  /** @param changes - of a document that an edit made. */
  constructor(scan: Scan, changes?: readonly LineChange[]) {
    this.scan = scan;
    if (changes !== undefined) this.changes = changes;
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
