import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  actionSchema,
  Evaluate,
  GetDownload,
  HypeError,
  Navigate,
  Screenshot,
  Snapshot,
  Wait,
} from "../../src/contract/index.ts";
import type { Guest } from "../../src/guest/guest.ts";
import { serveSite, type Site } from "../site/serve.ts";
import { request, World } from "./world.ts";

/** Short, so that a guest that stands still is noticed by its silence soon: the server waits ten seconds longer. */
const timeout_ms = 1_000;
const signal = () => AbortSignal.timeout(60_000);
async function* endless() {
  for (;;) {
    yield Buffer.alloc(65_536);
    await new Promise(setImmediate);
  }
}

/** Everything that may be under way when a VM stands still or goes. */
const UNDER_WAY: Record<string, (guest: Guest, site: Site) => Promise<unknown>> = {
  navigate: (guest, site) => guest.navigate(v.parse(Navigate, { url: `${site.origin}/hang`, timeout_ms })),
  evaluate: (guest) => guest.evaluate(v.parse(Evaluate, { expression: "new Promise(() => {})", timeout_ms })),
  wait: (guest) => guest.page.wait(v.parse(Wait, { selector: "#never", timeout_ms })),
  click: (guest) => guest.page.act("click", v.parse(actionSchema("click"), { selector: "#never", timeout_ms })),
  "wait for a download": (guest) => guest.page.wait(v.parse(Wait, { download: true, timeout_ms })),
  snapshot: (guest) => guest.page.snapshot(v.parse(Snapshot, { timeout_ms })),
  screenshot: (guest) => guest.screenshot(v.parse(Screenshot, { timeout_ms })),
  upload: (guest) => guest.uploads.write({ name: "endless" }, endless(), AbortSignal.timeout(11_000)),
  "what there is not": (guest) => guest.downloads.get(v.parse(GetDownload, { id: "none", timeout_ms })),
};
const TYPED = ["guest_unreachable", "operation_timeout", "cancelled", "download_not_found", "vm_not_running"];

/** How each ends: a code where it failed. Nothing else may be thrown. */
const begin = (guest: Guest, site: Site): Promise<[string, string]>[] =>
  Object.entries(UNDER_WAY).map(async ([name, run]): Promise<[string, string]> => {
    try {
      await run(guest, site);
      return [name, "done"];
    } catch (thrown) {
      if (!(thrown instanceof HypeError)) throw thrown;
      return [name, thrown.code];
    }
  });

async function usable(world: World, site: Site): Promise<void> {
  const guest = world.engine.guest("demo");
  await guest.ready(30_000, signal());
  expect((await guest.navigate(v.parse(Navigate, { url: `${site.origin}/acts` }))).title).toBe("Acts");
  await guest.page.act("click", v.parse(actionSchema("click"), { selector: "#count" }));
  const upload = await guest.uploads.write({ name: "after" }, new Response("x").body!, signal());
  expect(upload.bytes).toBe(1);
  expect((await guest.uploads.list({ timeout_ms })).items.map(({ name }) => name)).toEqual(["after"]);
}

async function boot(): Promise<World> {
  const world = new World();
  world.driver.guest = "agent";
  await world.engine.create(request("demo"));
  const guest = world.engine.guest("demo");
  await guest.evaluate(v.parse(Evaluate, { expression: "1" })); // the tab is attached to
  return world;
}

test("a VM paused in the middle of everything: typed errors, and it is usable when it goes on", async () => {
  using site = serveSite();
  await using world = await boot();
  const under = begin(world.engine.guest("demo"), site);
  await site.asked("/hang");
  await world.engine.pause("demo");
  expect(() => world.engine.guest("demo")).toThrow(expect.objectContaining({ code: "vm_not_running" }));
  for (const [name, code] of await Promise.all(under)) {
    if (name === "what there is not" || name === "snapshot" || name === "screenshot") continue; // they may have been done before
    expect([name, TYPED.includes(code)]).toEqual([name, true]);
  }
  await world.engine.resume("demo");
  await usable(world, site);
}, 90_000);

test("a VM stopped in the middle of everything: typed errors at once, and it is usable when it starts again", async () => {
  using site = serveSite();
  await using world = await boot();
  const under = begin(world.engine.guest("demo"), site);
  await site.asked("/hang");
  await world.engine.stop("demo", { force: true });
  for (const [name, code] of await Promise.all(under)) {
    if (name === "what there is not" || name === "snapshot" || name === "screenshot") continue;
    expect([name, code === "guest_unreachable" || code === "operation_timeout"]).toEqual([name, true]);
  }
  expect(() => world.engine.guest("demo")).toThrow(expect.objectContaining({ code: "vm_not_running" }));
  await world.engine.start("demo");
  await usable(world, site);
}, 90_000);
