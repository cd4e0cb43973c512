import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { HypeError } from "../../src/contract/index.ts";
import { SealedHome } from "../lib/hype.ts";

setDefaultTimeout(180_000); // under software emulation
const VM = "demo";
const PAGE = `data:text/html,${encodeURIComponent("<title>Long</title><script>document.write('<p>' + 'a long page with many words '.repeat(40)); for (let n = 0; n < 400; n++) document.write('<p>paragraph ' + n + ' of it'.repeat(30))</script>")}`;
const BYTES = randomBytes(24 * 1024 * 1024);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A VM taken away in the middle of everything that takes long: each call ends with a typed error or whole, and nothing half-made stays. */
describe("a VM is paused or stopped in the middle", () => {
  let home: SealedHome;
  let client: Client;
  beforeAll(async () => {
    home = new SealedHome();
    const { url, key } = await home.serve();
    client = connect({ base: url, key });
    await client.vms.create({ name: VM, cpu_cores: 2, memory_mb: 1536 });
  });
  afterAll(() => home[Symbol.asyncDispose]());

  /** What was begun; resolves when the guest has surely begun it. */
  type Begun = { done: Promise<unknown>; begun?: Promise<unknown> };
  const STATE = {
    cookies: Array.from({ length: 150 }, (_, n) => ({
      name: `c${n}`,
      value: "x".repeat(900),
      domain: `d${n % 20}.test`,
      path: "/",
    })),
    origins: Array.from({ length: 12 }, (_, n) => ({
      origin: `https://o${n}.test`,
      localStorage: Array.from({ length: 20 }, (_k, k) => ({ name: `k${k}`, value: "v".repeat(5_000) })),
    })),
  };

  const LONG: Record<string, () => Begun> = {
    "a script that never ends": () => ({
      done: client.browser.evaluate(VM, { expression: "new Promise(() => {})", timeout_ms: 120_000 }),
    }),
    "a wait": () => ({ done: client.browser.operate(VM, "wait", { selector: "#never", timeout_ms: 120_000 }) }),
    "a PDF": () => ({ done: client.browser.operateForBytes(VM, "pdf", { timeout_ms: 120_000 }, { keep: true }) }),
    "a picture of the whole page, kept": () => ({
      done: client.browser.screenshot(VM, { full_page: true, timeout_ms: 120_000 }, { keep: true }),
    }),
    "a state on its way in": () => ({
      done: client.browser.operate(VM, "import-state", { state: STATE, timeout_ms: 120_000 } as never),
    }),
    "a state on its way out": () => ({ done: client.browser.operate(VM, "export-state", { timeout_ms: 120_000 }) }),
    "a login being saved": () => ({ done: client.profiles.save({ name: "half", vm: VM }) }),
    "an upload": () => {
      const begun = Promise.withResolvers<void>();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          // The other half never comes.
          if (sent >= BYTES.length / 2) return new Promise(() => {});
          controller.enqueue(BYTES.subarray(sent, (sent += 64 * 1024)));
          if (sent >= BYTES.length / 4) begun.resolve();
        },
      });
      return { done: client.browser.upload(VM, "half.bin", body), begun: begun.promise };
    },
    "a download": () => {
      const begun = Promise.withResolvers<void>();
      const read = async () => {
        const { items } = await client.browser.operate(VM, "list-downloads", {});
        const { bytes } = await client.browser.download(VM, items[0]!.id);
        for await (const _ of bytes) {
          begun.resolve();
          await taken.promise; // the rest is still to come
        }
      };
      const done = read();
      done.catch(begun.reject);
      return { done, begun: begun.promise };
    },
  };
  /** The VM was taken away. */
  let taken = Promise.withResolvers<void>();

  /** Either it was done before, or its error says what happened. */
  async function endsWell(done: Promise<unknown>): Promise<string> {
    return await done.then(
      () => "done",
      (thrown: unknown) => {
        if (!(thrown instanceof HypeError)) throw thrown;
        return thrown.code;
      },
    );
  }
  const isUsable = async () => {
    expect((await client.browser.evaluate(VM, { expression: "6 * 7" })).value).toBe(42);
    expect((await client.browser.operate(VM, "snapshot", {})).yaml).toContain("paragraph");
    expect((await client.browser.operate(VM, "list-uploads", {})).items).toEqual([]);
  };

  test("a page, and a file to be fetched", async () => {
    await client.browser.navigate(VM, { url: PAGE });
    await client.browser.upload(VM, "whole.bin", BYTES);
    await client.browser.evaluate(VM, {
      expression:
        "document.body.insertAdjacentHTML('beforeend', '<input type=file id=in><a id=out download=whole.bin>out</a>'), document.getElementById('in').onchange = (e) => { out.href = URL.createObjectURL(e.target.files[0]); }, 0",
    });
    await client.browser.operate(VM, "upload", { selector: "#in", files: ["whole.bin"] });
    await client.browser.operate(VM, "click", { selector: "#out" });
    const { download } = await client.browser.operate(VM, "wait", { download: true, timeout_ms: 120_000 });
    expect(download).toMatchObject({ state: "completed", sha256: sha256(BYTES) });
    await client.browser.operate(VM, "delete-upload", { name: "whole.bin" });
  });

  /** Bytes on their way can only break off; for all else the reason is told. */
  const CODES: Record<string, string> = { "a download": "server_unreachable" };
  const begin = async (what: string): Promise<Promise<string>[]> => {
    const { done, begun } = LONG[what]!();
    const ended = endsWell(done);
    await begun;
    return [ended]; // a promise in an array is not awaited with it
  };

  test.each(Object.keys(LONG))("paused: %s", async (what) => {
    taken = Promise.withResolvers();
    const [ended] = await begin(what);
    await client.vms.pause(VM);
    taken.resolve();
    expect(["done", CODES[what] ?? "vm_not_running"]).toContain(await ended!);
    await client.vms.resume(VM);
    await isUsable();
    if (what === "a login being saved") await client.profiles.delete("half").catch(() => {}); // it was done before
  });

  test("stopped with all of it under way: each is told, and the VM starts again", async () => {
    taken = Promise.withResolvers();
    const all = Object.keys(LONG);
    const begun: Promise<string>[] = [];
    for (const what of all) begun.push(...(await begin(what)));
    await client.vms.stop(VM, { force: true });
    taken.resolve();
    for (const [n, what] of all.entries())
      expect([what, ...["done", CODES[what] ?? "vm_not_running"]]).toContain(await begun[n]!);
    await client.vms.start(VM);
    await client.browser.navigate(VM, { url: PAGE });
    await isUsable();
    const { items } = await client.profiles.list();
    for (const { name } of items) expect((await client.profiles.get(name)).size_bytes).toBeGreaterThan(0);
  });
});
