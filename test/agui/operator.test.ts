import { describe, expect, test } from "bun:test";
import { HypeError } from "../../src/contract/index.ts";
import { startTestServer } from "../server/harness.ts";
import { input, post, Reader, says, verified, WIRES } from "./lib.ts";

for (const wire of ["sse", "protobuf"] as const)
  describe(`a run over ${wire}`, () => {
    test("creates a VM by a command of the CLI: steps, call, result, state, words, result", async () => {
      await using server = startTestServer();
      const reader = await new Reader(server, { wire }).say("/vms create web --cpu 2 --memory 2G --label team=qa");
      expect(reader.contentType).toBe(wire === "sse" ? "text/event-stream" : "application/vnd.ag-ui.event+proto");
      expect(reader.events[0]).toMatchObject({ type: "RUN_STARTED", protocolVersion: "1.0" });
      expect(reader.types.filter((type) => type !== "STATE_DELTA")).toEqual([
        "RUN_STARTED",
        "STATE_SNAPSHOT",
        "STEP_STARTED",
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
        "STEP_FINISHED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
      ]);
      expect(reader.state.vms.web).toMatchObject({ status: "running", cpu_cores: 2, memory_mb: 2048 });
      expect(reader.state.node.vms_total).toBe(1);
      expect(server.engine.get("web").labels).toEqual({ team: "qa" });
      expect(reader.finished.outcome).toEqual({ type: "success" });
      expect(reader.finished.result.operations).toMatchObject([{ tool: "vm_create", ok: true }]);
    });
  });

test("says help where nothing was asked", async () => {
  await using server = startTestServer();
  const events = await verified(await (await post(server, input(says("help")))).text());
  expect(events.at(-1)).toMatchObject({ type: "RUN_FINISHED", outcome: { type: "success" } });
  expect(JSON.stringify(events)).toContain("/vms create");
});

describe.each(WIRES)("over %s", (wire) => {
  test.each([false, true])("a boot is told phase by phase, and how it ended (it failed: %p)", async (fails) => {
    await using server = startTestServer();
    const { engine } = server;
    const reader = new Reader(server, { wire });
    engine.create = async (wanted: { name: string }) => {
      const vm = engine.add(wanted.name, { status: "starting" });
      const starts = reader.next(({ type }) => type === "ACTIVITY_SNAPSHOT");
      engine.emit("VM_STARTING", vm);
      await starts;
      const goesOn = reader.next(({ type }) => type === "ACTIVITY_DELTA");
      const told = { type: "VM_BOOT_PROGRESS", vm_id: vm.id, vm_name: vm.name, at: vm.updated_at } as const;
      engine.log.push({ ...told, seq: engine.log.length + 1, data: { phase: "agent" } });
      engine.emit("VM_BOOT_PROGRESS", vm); // wakes the readers
      await goesOn;
      if (fails) throw new HypeError("boot_failed", "the kernel panicked");
      vm.status = "running";
      return vm;
    };
    await reader.say("/vms create web");
    const told = reader.agent.messages.filter(({ role }) => role === "activity");
    expect(told).toMatchObject([
      {
        activityType: "vm_boot",
        content: { vm: "web", ...(fails ? { phase: "failed", percent: null } : { phase: "done", percent: 100 }) },
      },
    ]);
    const deltas = reader.of("ACTIVITY_DELTA").map(({ patch }) => patch[0].value);
    expect(deltas[0]).toContain("the agent in it answers");
    expect(reader.state.vms.web.status).toBe(fails ? "starting" : "running");
    expect(reader.finished.result.operations).toMatchObject([{ ok: !fails }]);
  });

  const call = { tool: "vm_get", arguments: { vm: "web" } };
  test.each([
    ["one call as JSON", JSON.stringify(call), ["vm_get"]],
    ["several, on lines of their own", JSON.stringify([{ tool: "vm_list" }, call], null, 2), ["vm_list", "vm_get"]],
    ["a phrase", "Show me all the VMs!", ["vm_list"]],
    ["one with a name", "create a vm called shop", ["vm_create"]],
    ["one that is two operations", "open http://127.0.0.1:1/ on web", ["browser_navigate"]],
  ] as const)("%s is done as it stands", async (_name, said, tools) => {
    await using server = startTestServer();
    server.engine.add("web");
    const reader = await new Reader(server, { wire }).say(said);
    expect(reader.finished.outcome).toEqual({ type: "success" });
    const done = reader.finished.result.operations as { tool: string; ok: boolean }[];
    expect(done.map(({ tool }) => tool)).toEqual([...tools]);
    const isBrowsers = tools.some((tool) => tool.startsWith("browser_")); // this engine has no guest: it is the last
    expect(done.at(-1)?.ok).toBe(!isBrowsers);
    expect(reader.of("TOOL_CALL_START").map(({ toolCallName }) => toolCallName)).toEqual([...tools]);
    const given = reader.of("TOOL_CALL_ARGS").map(({ delta }) => JSON.parse(delta));
    if (said.startsWith("{")) expect(given).toEqual([call.arguments]);
    expect(reader.of("TOOL_CALL_RESULT")).toHaveLength(tools.length);
    expect(reader.types.filter((type) => type === "STEP_STARTED")).toHaveLength(tools.length);
  });

  test.each([
    ["JSON that is none", '{"tool": "vm_list"', "usage", "begins like JSON"],
    ["JSON that is no call", '{"name": "vm_list"}', "usage", "A call is"],
    ["a list without calls", "[]", "usage", "A call is"],
  ])("%s is answered in words", async (_name, said, code, words) => {
    await using server = startTestServer();
    const reader = await new Reader(server, { wire }).say(said);
    expect(reader.finished.result.error).toMatchObject({ code });
    expect(reader.said).toContain(words);
    expect(reader.of("TOOL_CALL_START")).toEqual([]);
  });

  test("operations of a program are done in their order, beside what was said", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    const operations = [{ tool: "vm_list", arguments: {} }, call];
    const reader = await new Reader(server, { wire }).say("what is this?", { forwardedProps: { operations } });
    expect(reader.finished.result.operations).toMatchObject([
      { tool: "vm_list", ok: true },
      { tool: "vm_get", ok: true, structured: { name: "web" } },
    ]);
  });

  test("help is said, and what is not understood with it", async () => {
    await using server = startTestServer();
    for (const said of ["help", "/help", "?", "make me a sandwich"]) {
      const reader = await new Reader(server, { wire }).say(said);
      expect(reader.said).toContain("/vms create");
      expect(reader.said.startsWith("I do not understand")).toBe(said.includes("sandwich"));
      expect(reader.of("TOOL_CALL_START")).toEqual([]);
    }
  });

  test("a phrase that ends something asks, as its command does", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    const reader = await new Reader(server, { wire }).say("delete the browser web");
    expect(reader.agent.pendingInterrupts).toMatchObject([{ reason: "overhyped.confirm" }]);
    expect(server.engine.rows.has("web")).toBe(true);
  });
});

test("several commands at once, and the first that fails is the last", async () => {
  await using server = startTestServer();
  const reader = await new Reader(server).say("/vms create a\n/vms get nobody\n/vms create b");
  expect([...server.engine.rows.keys()]).toEqual(["a"]);
  expect(reader.finished.result.operations).toMatchObject([{ ok: true }, { ok: false }]);
  expect(reader.said).toContain("- Show a VM:");
});

test("the audit tells what a run changed, and nothing of what it looked at", async () => {
  await using server = startTestServer();
  await new Reader(server).say("/vms create web\n/vms list\n/vms resume web");
  const { items } = (await (await server.call("/api/v1/audit")).json()) as { items: object[] };
  expect(items).toMatchObject([
    { path: "/agui/tools/vm_create", key_id: "admin", status: 200, error: null },
    { path: "/agui/tools/vm_resume", vm: "web", status: 409, error: "vm_state_conflict" },
  ]);
});
