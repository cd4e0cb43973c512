import type { Protocol } from "devtools-protocol";
import type { RequestEntry } from "../../src/contract/index.ts";
import { clipped } from "./ring.ts";

type Header = RequestEntry["request_headers"][number];

/** Of one request or answer, characters: Chromium takes no answer with more (net/http/http_stream_parser.cc, kMaxHeaderBufSize). */
const MAX_HEADERS = 256 * 1024;
/** Held at once, and the characters of all together. */
const MAX_EARLY = 1_000;
const MAX_EARLY_CHARACTERS = 4 * 1024 * 1024;

/** Chromium joins headers of one name by line breaks. What is beyond {@link MAX_HEADERS} is left out. */
export function headersOf(headers: Protocol.Network.Headers): Header[] {
  const all: Header[] = [];
  let room = MAX_HEADERS;
  for (const [name, joined] of Object.entries(headers))
    for (const value of clipped(String(joined), Math.max(0, room)).split("\n")) {
      room -= name.length + value.length;
      if (room >= 0) all.push({ name, value });
    }
  return all;
}

const charactersOf = (headers: Header[]): number =>
  headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);

/** Headers that came before the request they belong to, by its key; the oldest give way. */
export class EarlyHeaders {
  #held = new Map<string, Header[]>();
  #characters = 0;

  keep(key: string, headers: Header[]): void {
    this.take(key);
    this.#held.set(key, headers);
    this.#characters += charactersOf(headers);
    while (this.#held.size > MAX_EARLY || this.#characters > MAX_EARLY_CHARACTERS)
      this.take(this.#held.keys().next().value!);
  }

  take(key: string): Header[] | undefined {
    const headers = this.#held.get(key);
    this.#held.delete(key);
    this.#characters -= charactersOf(headers ?? []);
    return headers;
  }
}
