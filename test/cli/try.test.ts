import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HypeError } from "../../src/contract/errors.ts";
import { DEMO_PAGE_URL } from "../../src/cli/try/demo-page.ts";
import { aVm, anEvent, fakeClient, hype, streamOf } from "./harness.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAAElFTkSuQmCC", "base64");

/** A server that runs, has an image, and boots whatever it is asked for. */
function world() {
  const calls = { created: [] as string[], opened: [] as string[], deleted: [] as string[] };
  const client = fakeClient({
    health: async () => true,
    system: { status: async () => ({ host: { cpu_cores: 8 } }) as never },
    images: { list: async () => ({ items: [{ id: "abc" } as never] }) },
    vms: {
      create: async ({ name }) => {
        calls.created.push(name);
        return aVm({ name, status: "creating" });
      },
      get: async () => aVm({ name: calls.created[0] ?? "" }),
      delete: async (ref) => void calls.deleted.push(ref),
    },
    events: {
      list: async () => ({ items: [], next: null }),
      stream: (query) => streamOf([anEvent("VM_RUNNING")], query?.signal),
    },
    browser: {
      navigate: async (_name, { url }) => {
        calls.opened.push(url);
        return { tab: "T", url, title: "Hello\x1b[2J", status: null, redirects: [], timings: null };
      },
      screenshot: async () => PNG,
    },
  });
  return { calls, client };
}

describe("hype try", () => {
  test("boots, opens the page that ships with hype, saves a picture, tidies up and tells", async () => {
    using directory = temporaryDirectory();
    const { calls, client } = world();
    const { code, stdout, stderr } = await hype(["try"], { client, cwd: directory.path });
    expect(code).toBe(0);
    expect(calls.created).toEqual([expect.stringMatching(/^try-[0-9a-f]{8}$/)]);
    expect(calls.opened).toEqual([DEMO_PAGE_URL]);
    expect(calls.deleted).toEqual([aVm().id]);
    expect(readFileSync(join(directory.path, "try.png"))).toEqual(PNG);
    expect(stdout).toContain("Hello␛[2J");
    expect(stdout).toContain("try.png, 3 x 2 pixels, 45 B");
    expect(stdout).toMatch(/prepare .*, boot .*, open .*, screenshot .*, delete /);
    expect(stderr).toContain("Found the server at http://127.0.0.1:7777");
  });

  test("--json tells the same to machines, without the page's megabytes", async () => {
    using directory = temporaryDirectory();
    const { client } = world();
    const { stdout } = await hype(["try", "--json"], { client, cwd: directory.path });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      vm: { accelerator: "tcg", boot_ms: 7900 },
      page: { title: "Hello\x1b[2J", url: null },
      screenshot: { file: "try.png", bytes: PNG.length, width: 3, height: 2 },
      kept: false,
    });
    expect(told.timings.map(({ step }: { step: string }) => step)).toEqual([
      "prepare",
      "boot",
      "open",
      "screenshot",
      "delete",
    ]);
  });

  test("a URL and --keep", async () => {
    using directory = temporaryDirectory();
    const { calls, client } = world();
    const { stdout } = await hype(["try", "example.com", "--keep", "-o", "x.png"], { client, cwd: directory.path });
    expect(calls.opened).toEqual(["https://example.com"]);
    expect(calls.deleted).toEqual([]);
    expect(stdout).toContain(`hype vms delete ${calls.created[0]}`);
  });

  test.each(["navigate", "screenshot"] as const)("deletes the VM when %s fails", async (operation) => {
    using directory = temporaryDirectory();
    const { calls, client } = world();
    client.browser[operation] = async () => {
      throw new HypeError("navigation_failed", "net::ERR_NAME_NOT_RESOLVED");
    };
    const { code, stderr } = await hype(["try", "http://nowhere"], { client, cwd: directory.path });
    expect(code).toBe(1);
    expect(stderr).toContain("net::ERR_NAME_NOT_RESOLVED");
    expect(calls.deleted).toEqual([aVm().id]);
  });

  test("Ctrl-C while the page loads deletes the VM and ends with 130", async () => {
    using directory = temporaryDirectory();
    const { calls, client } = world();
    const interrupt = new AbortController();
    client.browser.navigate = async (_name, _body, options) => {
      interrupt.abort();
      expect(options?.signal?.aborted).toBe(true);
      throw new HypeError("cancelled", "cancelled");
    };
    expect((await hype(["try"], { client, cwd: directory.path, interrupt })).code).toBe(130);
    expect(calls.deleted).toEqual([aVm().id]);
  });
});
