import type { Client } from "../../client/types.ts";
import { DetailFeed } from "../feed/detail.ts";
import { Feed } from "../feed/feed.ts";
import { Operations } from "../feed/operations.ts";
import type { Store } from "../state/store.ts";

/** Where a server is, and the key to send; null: the one this machine has for it, if any. */
export type Target = { server: string; key: string | null };

/** One server: what is fed from it and what is done to it. Another server, or another key, is another session. */
export class Session implements Disposable {
  readonly operations: Operations;
  readonly #undo = new DisposableStack();

  constructor(client: Client, store: Store, sampleMs?: number) {
    const over = new AbortController();
    this.#undo.defer(() => over.abort());
    this.operations = new Operations(client, store, over.signal);
    const feed = this.#undo.use(new Feed(client, store, sampleMs));
    this.#undo.use(new DetailFeed(client, store));
    feed.start();
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }
}
