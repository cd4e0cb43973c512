import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Navigate } from "../../src/contract/index.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";

setDefaultTimeout(30_000);
type Until = Navigate["wait_until"];
const STAGES = ["commit", "domcontentloaded", "load", "networkidle"] as const satisfies Until[];

/** A page that comes no further than its gates let it, each asked for only when the stage before it is over. */
class Staged {
  #asked = new Map<string, PromiseWithResolvers<void>>();
  #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname.startsWith("/plain")) return html("<title>Plain</title>");
      if (pathname === "/staged") return html(this.#page());
      this.#of(this.#asked, pathname).resolve();
      await this.#of(this.#gates, pathname).promise;
      return reply("", pathname === "/dom" ? "text/javascript" : "image/png");
    },
  });
  readonly origin = `http://127.0.0.1:${this.#server.port}`;

  close(): void {
    this.#asked.clear();
    this.#gates.clear();
  }
  asked(path: string): Promise<void> {
    return this.#of(this.#asked, path).promise;
  }
  open(path: string): void {
    this.#of(this.#gates, path).resolve();
  }
  [Symbol.dispose](): void {
    for (const path of ["/dom", "/load", "/idle"]) this.open(path);
    void this.#server.stop(true);
  }

  #page(): string {
    return "<!doctype html><title>Staged</title><p>first</p><script src=/dom></script><img src=/load><script>addEventListener('load', () => setTimeout(() => fetch('/idle')))</script>";
  }
  #of(map: Map<string, PromiseWithResolvers<void>>, path: string): PromiseWithResolvers<void> {
    const known = map.get(path) ?? Promise.withResolvers<void>();
    map.set(path, known);
    return known;
  }
}
/** Kept by nobody: going back asks for it again. */
const reply = (text: string, type: string) =>
  new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
const html = (text: string) => reply(text, "text/html");

let b: Browsing;
let site: Staged;
beforeAll(async () => {
  site = new Staged();
  b = await startBrowsing();
}, 60_000);
afterAll(async () => {
  site[Symbol.dispose]();
  await b?.[Symbol.asyncDispose]();
});

/** What opens a stage, and the request that tells that the one before it is over. */
const GATES = { commit: null, domcontentloaded: "/dom", load: "/load", networkidle: "/idle" } as const;

const WAYS: [string, (until: Until) => Promise<() => Promise<{ url: string }>>][] = [
  ["navigate", async (until) => () => b.open(`${site.origin}/staged`, { wait_until: until })],
  [
    "reload",
    async (until) => {
      await through();
      return () => b.guest.reload({ wait_until: until, ignore_cache: false, timeout_ms: 20_000 });
    },
  ],
  [
    "back",
    async (until) => {
      await through();
      await b.open(`${site.origin}/plain`);
      return () => b.guest.back({ wait_until: until, ignore_cache: false, timeout_ms: 20_000 });
    },
  ],
  [
    "forward",
    async (until) => {
      await b.open(`${site.origin}/plain`);
      await through();
      await b.guest.back({ wait_until: "load", ignore_cache: false, timeout_ms: 20_000 });
      return () => b.guest.forward({ wait_until: until, ignore_cache: false, timeout_ms: 20_000 });
    },
  ],
];

/** The staged page, all gates open. */
async function through(): Promise<void> {
  site.close();
  for (const path of ["/dom", "/load", "/idle"]) site.open(path);
  await b.open(`${site.origin}/staged`);
}

describe.each(WAYS)("%s", (_way, prepare) => {
  test.each(STAGES)("until %s: not before it, and not later", async (until) => {
    const go = await prepare(until);
    site.close();
    const order: string[] = [];
    const returned = go().then(({ url }) => order.push(`returned ${new URL(url).pathname}`));
    for (const stage of STAGES.slice(1, STAGES.indexOf(until) + 1)) {
      await site.asked(GATES[stage]!);
      order.push(stage);
      site.open(GATES[stage]!);
    }
    // All later gates are shut: it returns all the same.
    await returned;
    expect(order).toEqual([...STAGES.slice(1, STAGES.indexOf(until) + 1), "returned /staged"]);
    for (const path of ["/dom", "/load", "/idle"]) site.open(path);
  });
});
