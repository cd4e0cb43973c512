import { expect, test } from "bun:test";
import { TuiWorld } from "./world.ts";

type Fault = (path: string, signal: AbortSignal) => Response | Promise<Response> | null;

/** The interface over a server that stands behind something unreliable. */
async function behind(fault: Fault, prepare: (names: (name: string) => void) => void) {
  const door = { fault, target: "" };
  const proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const wrong = await door.fault(pathname, request.signal);
      if (wrong) return wrong;
      const { method, headers, signal } = request;
      return await fetch(`${door.target}${pathname}${search}`, { method, headers, signal });
    },
  });
  const tui = await TuiWorld.open({
    address: proxy.url.origin,
    prepare: (server) => {
      door.target = server.url;
      prepare((name) => void server.engine.add(name));
    },
  });
  return {
    tui,
    door,
    async [Symbol.asyncDispose]() {
      await tui[Symbol.asyncDispose]();
      await proxy.stop(true);
    },
  };
}

const broken = () => new Response("the proxy is broken", { status: 502 });

test("a server that never answers: the screen says it is asked, and another address is taken", async () => {
  const never = Promise.withResolvers<Response>();
  await using world = await behind(
    () => never.promise,
    () => {},
  );
  const { tui } = world;
  expect(await tui.until("asking …")).toContain("Another address");
  await tui.press("o");
  await tui.until("Address of the server");
  await tui.press("ESCAPE");
  await tui.until((frame) => !frame.includes("Address of the server"));
  never.resolve(broken());
  await tui.until("answered 502");
});

test("errors instead of a list are shown, and it is tried again", async () => {
  let failures = 2;
  await using world = await behind(
    (path) => (path === "/api/v1/vms" && failures-- > 0 ? broken() : null),
    (add) => add("a-1"),
  );
  await world.tui.until("answered 502");
  await world.tui.until("❯ a-1");
}, 20_000);

test("a change whose question fails is asked for again: the last state is not lost", async () => {
  await using world = await behind(
    () => null,
    (add) => add("a-1"),
  );
  const { tui, door } = world;
  const { engine } = tui.server;
  await tui.until("● running");
  let failures = 2;
  const id = engine.get("a-1").id;
  door.fault = (path) => (path === `/api/v1/vms/${id}` && failures-- > 0 ? broken() : null);
  const vm = engine.get("a-1");
  vm.status = "paused";
  engine.emit("VM_PAUSED", vm);
  await tui.until("‖ paused");
  expect(failures).toBeLessThan(0);
}, 20_000);

test("another server on the screen: what the first one still says is not mixed in", async () => {
  const given = Promise.withResolvers<void>();
  await using world = await behind(
    (path, signal) => {
      if (!path.endsWith("/start")) return null;
      signal.addEventListener("abort", () => given.resolve());
      return new Promise(() => {});
    },
    () => {},
  );
  const { tui } = world;
  await tui.until("No VMs");
  tui.server.engine.add("old", { status: "stopped" });
  await tui.until("❯ old");
  await tui.press("s");
  await tui.until("starting");
  tui.screen.mockInput.pressKey("o", { ctrl: true });
  await tui.until("Servers");
  await tui.press("o");
  await tui.until("Address of the server");
  tui.screen.mockInput.pressKey("u", { ctrl: true });
  await tui.press(..."127.0.0.1:1", "RETURN");
  await tui.until("no server answers at http://127.0.0.1:1");
  await given.promise; // nobody waits for it any more
  expect(tui.store.state.vms.size).toBe(0);
  expect(tui.store.state.toasts.map(({ text }) => text).filter((text) => text.includes("old"))).toEqual([]);
});
