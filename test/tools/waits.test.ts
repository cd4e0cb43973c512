import { afterAll, beforeAll, expect, test } from "bun:test";
import type { VmStatus } from "../../src/contract/index.ts";
import { tellWaiting } from "../../src/tools/tell-waiting.ts";
import type { Progress } from "../../src/tools/tool.ts";
import { connectClient, countReaders, type McpClient } from "../mcp/world.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";

let server: TestServer;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  mcp = await connectClient(`${server.url}/mcp?tools=all`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test.each<[VmStatus, string, string | null]>([
  ["creating", "vm_wait", "vm_start"],
  ["starting", "vm_wait", "vm_start"],
  ["paused", "vm_resume", "vm_start"],
  ["stopped", "vm_start", "vm_resume"],
  ["crashed", "vm_start", "vm_resume"],
  ["stopping", "vm_wait", "vm_resume"],
  ["deleting", "vm_create", "vm_start"],
])("a browser of a VM that is %s: the next step is %s", async (status, next, not) => {
  server.engine.add(`is-${status}`, { status });
  const said = await mcp.call("browser_snapshot", { vm: `is-${status}` });
  expect(said).toMatchObject({ isError: true });
  expect(said.text).toContain(next);
  expect(said.text).not.toContain(not ?? "-");
});

test("a wait for a VM that is over says how to wait on, not to look at a page", async () => {
  server.engine.add("slow-one", { status: "starting" });
  const said = await mcp.call("vm_wait", { vm: "slow-one", timeout_ms: 1 });
  expect(said.text).toContain("operation_timeout");
  expect(said.text).toContain("vm_wait again");
  expect(said.text).not.toContain("browser_snapshot");
});

test("vm_create of a name that is coming up waits for it, as it says, and tells how far it is", async () => {
  const vm = server.engine.add("coming", { status: "starting" });
  const at = await mcp.call("vm_create", { name: "coming", wait: false });
  expect(at.text).toContain("already there: coming: starting");
  const readers = countReaders(server.engine);
  const told: string[] = [];
  let isDone = false;
  const creating = mcp
    .call("vm_create", { name: "coming" }, { onprogress: ({ message }) => void told.push(message ?? "") })
    .finally(() => (isDone = true));
  await readers.until(2); // who waits, and who tells
  expect(isDone).toBe(false);
  server.engine.emit("VM_STARTING", vm);
  vm.status = "running";
  server.engine.emit("VM_RUNNING", vm);
  const said = await creating;
  expect(said).toMatchObject({ isError: false, structured: { name: "coming", status: "running" } });
  expect(said.text).toContain("already there: coming: running");
  expect(told).toContain("coming starts");
});

test("of one that crashes meanwhile it says so", async () => {
  const vm = server.engine.add("crashing", { status: "starting" });
  const readers = countReaders(server.engine);
  const creating = mcp.call("vm_create", { name: "crashing" });
  await readers.until(2);
  vm.status = "crashed";
  server.engine.emit("VM_CRASHED", vm);
  expect(await creating).toMatchObject({ isError: true, text: expect.stringContaining("vm_start starts it") });
});

test("a wait tells that it goes on, by seconds that only grow and are never more than it may take", async () => {
  const told: Progress[] = [];
  const enough = Promise.withResolvers<string>();
  const progress = (report: Progress) => {
    if (told.push(report) === 4) enough.resolve("done");
  };
  const work = (tell: () => void) => (tell(), enough.promise);
  const times = { firstMs: 1, everyMs: 1 };
  expect(await tellWaiting({ progress }, 2_000, () => "so it is", work, times)).toBe("done");
  const done = told.map((report) => report.done);
  expect(done).toEqual([...new Set(done)].toSorted((a, b) => a - b));
  expect(done.every((seconds) => seconds > 0 && seconds <= 2)).toBe(true);
  expect(told[0]).toMatchObject({ total: 2, message: "so it is" });
  let count = 0;
  await tellWaiting(
    { progress: () => count++ },
    1_000,
    () => "",
    async () => {},
    { firstMs: 0, everyMs: 0 },
  );
  expect(count).toBe(0); // what is over at once needs no word
});

/** Long waits, and what ends each once progress was told. */
const WAITS: Record<string, { args: object; says: string; end: () => unknown }> = {
  vm_control: {
    args: { wait: "taken" },
    says: "waiting until waits is taken",
    end: () => server.engine.takeControl("waits", { link: null, label: "Ada" }),
  },
  vm_wait: {
    args: { status: "paused" },
    says: "waits is running",
    end: () => {
      const vm = server.engine.get("waits");
      vm.status = "paused";
      server.engine.emit("VM_PAUSED", vm);
    },
  },
  browser_wait_for: { args: { text: "never" }, says: "waiting for the page", end: () => guestWaits.resolve() },
  browser_downloads: { args: { id: "1" }, says: "waiting for the download", end: () => guestWaits.resolve() },
};
let guestWaits = Promise.withResolvers<void>();

test.each(Object.entries(WAITS))("%s tells its progress while it waits", async (name, { args, says, end }) => {
  guestWaits = Promise.withResolvers();
  server.engine.rows.delete("waits");
  server.engine.add("waits");
  const place = { tab: "t1", url: "about:blank", title: "" };
  const guest = {
    tabs: async () => ({ items: [{ id: "t1", active: true }] }),
    observe: { stop: async () => ({ tabs: {} }), start: async () => ({}) },
    page: { wait: async () => (await guestWaits.promise, place) },
    downloads: { get: async () => (await guestWaits.promise, { id: "1", name: "a", state: "failed", url: "" }) },
  };
  server.engine.guests.set("waits", guest as never);
  const told = Promise.withResolvers<string>();
  const onprogress = ({ message = "" }) => told.resolve(message);
  const waiting = mcp.call(name, { vm: "waits", ...args }, { onprogress });
  expect(await told.promise).toContain(says);
  end();
  expect(await waiting).toMatchObject({ isError: false });
});

test.each([
  ["browser_snapshot", {}],
  ["browser_wait_for", { text: "never" }],
  ["browser_evaluate", { function: "() => 1" }],
  ["browser_take_screenshot", {}],
  ["profile_save", { name: "held" }],
])("%s ends at once when its VM is paused, and says what comes next", async (name, args) => {
  server.engine.rows.delete("held");
  const vm = server.engine.add("held");
  const asked = Promise.withResolvers<void>();
  /** A guest that takes everything and answers nothing. */
  const silent: unknown = new Proxy(() => {}, {
    get: (_target, of) => (of === "then" ? undefined : silent),
    apply: (_target, _this, given: unknown[]) => {
      asked.resolve();
      const signal = given.findLast((one) => one instanceof AbortSignal);
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  server.engine.guests.set("held", silent as never);
  const call = mcp.call(name, { vm: "held", ...args });
  await asked.promise;
  vm.status = "paused";
  server.engine.emit("VM_PAUSED", vm);
  const said = await call;
  expect(said).toMatchObject({ isError: true });
  expect(said.text).toContain("held is paused");
  expect(said.text).toContain("vm_resume");
});
