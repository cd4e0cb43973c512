import { describe, expect, test } from "bun:test";
import { HypeError } from "../../src/contract/index.ts";
import { startTestServer } from "../server/harness.ts";
import { input, post, Reader, says, verified } from "./lib.ts";

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

for (const fails of [false, true])
  test(`a boot is told phase by phase, and how it ended: ${fails ? "failed" : "done"}`, async () => {
    await using server = startTestServer();
    const { engine } = server;
    const reader = new Reader(server);
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
