import { afterAll, beforeAll, expect, test } from "bun:test";
import type { VmStatus } from "../../src/contract/index.ts";
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
