import type * as v from "valibot";
import {
  Acted,
  type ActionName,
  type ActionRequest,
  type Actions,
  type Find,
  FoundList,
  LinkList,
  type Links,
  PageSnapshot,
  type Pdf,
  type Snapshot,
  type Wait,
  Waited,
} from "../contract/index.ts";
import { type Operate, parseReply } from "./http.ts";

/** Addresses and titles of a page, which may be long. */
const SMALL_BYTES = 8 * 1024 * 1024;
const LARGE_BYTES = 128 * 1024 * 1024;

/** What is seen on a page and done to it. Throws as {@link Guest} does. */
export class GuestPage {
  constructor(private readonly operate: Operate) {}

  snapshot(request: Snapshot, signal?: AbortSignal): Promise<PageSnapshot> {
    return this.#ask("snapshot", request, PageSnapshot, LARGE_BYTES, signal);
  }

  links(request: Links, signal?: AbortSignal): Promise<LinkList> {
    return this.#ask("links", request, LinkList, LARGE_BYTES, signal);
  }

  find(request: Find, signal?: AbortSignal): Promise<FoundList> {
    return this.#ask("find", request, FoundList, SMALL_BYTES, signal);
  }

  /** The document's bytes as Chromium printed them. */
  async pdf(request: Pdf, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.operate("pdf", request, LARGE_BYTES, signal)).bytes;
  }

  wait(request: Wait, signal?: AbortSignal): Promise<Waited> {
    return this.#ask("wait", request, Waited, SMALL_BYTES, signal);
  }

  /** @throws HypeError `stale_ref` | `element_…` | `option_not_found` | `invalid_request` */
  act<A extends ActionName>(action: A, request: ActionRequest<A>, signal?: AbortSignal): Promise<Acted> {
    return this.#ask(`act/${action}`, request, Acted, SMALL_BYTES, signal);
  }

  /** One after the other; the message of a failure names the action. @throws as {@link GuestPage.act} */
  actions(request: Actions, signal?: AbortSignal): Promise<Acted> {
    return this.#ask("actions", request, Acted, SMALL_BYTES, signal);
  }

  async #ask<T>(
    name: string,
    request: { timeout_ms: number },
    schema: v.GenericSchema<unknown, T>,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return parseReply(schema, await this.operate(name, request, maxBytes, signal));
  }
}
