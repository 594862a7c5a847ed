import type { KeystoreDocument } from "./document.js";
import { ScannedDocument } from "./scanned-document.js";

/**
 * Remembers what was read of a file last, for whoever goes on living with it: by it the next read
 * and the next edit are about what has changed alone. It takes little memory besides the keystore
 * in force, which holds the same octets.
 */
export class DocumentMemory {
  #last: KeystoreDocument | undefined;

  constructor(document?: KeystoreDocument) {
    if (document !== undefined) this.keep(document);
  }

  /** The document that was kept last; undefined where there is none of use. */
  get last(): KeystoreDocument | undefined {
    return this.#last;
  }

  /** Takes in what the file holds now. */
  keep(document: KeystoreDocument): void {
    // Without the text and the tree that somebody may have asked it for.
    this.#last =
      document instanceof ScannedDocument ? new ScannedDocument(document.scan) : undefined;
  }
}
