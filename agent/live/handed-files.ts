import { mkdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type HandFile, HypeError, type Upload } from "../../src/contract/index.ts";
import { Uploads } from "../uploads/uploads.ts";

/** Beyond so many somebody fills the guest. */
const MAX_BATCHES = 256;

type Batch = { tab: string; files: Uploads; isGone: boolean };

/**
 * Files that people hand to pages by the live view, in batches: what was chosen or dropped at once. A page may read them as long as it is
 * there, and nobody else knows of them, so each goes with the tab it was handed to.
 */
export class HandedFiles {
  #batches = new Map<string, Batch>();

  /** @param directory of its own: what an agent that is gone left there goes */
  constructor(private readonly directory: string) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  }

  /**
   * Takes the bytes of one file as they come; what does not get so far as its end leaves nothing.
   * @throws HypeError `invalid_request` for a batch of another tab | `tab_not_found` when its tab closes meanwhile | as {@link Uploads.write}
   */
  async write({ batch, tab, ...told }: HandFile, body: AsyncIterable<Uint8Array>): Promise<Upload> {
    let entry = this.#batches.get(batch);
    if (!entry) {
      if (this.#batches.size >= MAX_BATCHES)
        throw new HypeError(
          "limit_reached",
          `files were handed to open tabs ${MAX_BATCHES} times; close some of the tabs`,
        );
      entry = { tab, files: new Uploads(join(this.directory, batch)), isGone: false };
      this.#batches.set(batch, entry);
    }
    if (entry.tab !== tab) throw new HypeError("invalid_request", "the batch was begun for another tab");
    try {
      return await entry.files.write(told, whileOpen(entry, body));
    } catch (thrown) {
      if (!entry.isGone) throw thrown;
      await this.#remove(batch); // what was made after the first time
      throw closed(tab);
    }
  }

  /** Where Chromium finds them. @throws HypeError `upload_not_found` */
  paths(batch: string, names: string[]): string[] {
    const { files } = this.#batches.get(batch) ?? {};
    if (!files) throw new HypeError("upload_not_found", "the files are not there; hand them over again");
    return names.map((name) => files.path(name));
  }

  /** Tabs that are there now: what was handed to others goes. */
  keepFor(tabs: Iterable<string>): void {
    const open = new Set(tabs);
    for (const [batch, entry] of this.#batches) {
      if (open.has(entry.tab)) continue;
      this.#batches.delete(batch);
      entry.isGone = true;
      void this.#remove(batch);
    }
  }

  async #remove(batch: string): Promise<void> {
    await rm(join(this.directory, batch), { recursive: true, force: true }).catch(() => {}); // the next agent looks again
  }
}

const closed = (tab: string): HypeError =>
  new HypeError("tab_not_found", "the tab that the files were handed to is closed", { tab });

async function* whileOpen(batch: Batch, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (batch.isGone) throw closed(batch.tab);
    yield chunk;
  }
}
