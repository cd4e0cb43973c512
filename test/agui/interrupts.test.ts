import { describe, expect, test } from "bun:test";
import { buildResumeArray } from "@ag-ui/client";
import { Interrupts } from "../../src/agui/interrupts.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { input, post, Reader, says, WIRES } from "./lib.ts";

const answer = (reader: Reader, payload: object) => {
  const [pending] = reader.agent.pendingInterrupts;
  return {
    resume: buildResumeArray(reader.agent.pendingInterrupts, { [pending!.id]: { status: "resolved", payload } }),
  };
};
const deletion = (server: TestServer, wire?: "sse" | "protobuf") =>
  new Reader(server, wire ? { wire } : {}).say("/vms delete web");

for (const wire of ["sse", "protobuf"] as const)
  describe(`what ends something for good is asked first, over ${wire}`, () => {
    test("approved: done in the next run, as the result of the first run's call", async () => {
      await using server = startTestServer();
      server.engine.add("web");
      const reader = await deletion(server, wire);
      expect(server.engine.rows.has("web")).toBe(true);
      expect(reader.agent.pendingInterrupts).toMatchObject([
        { reason: "overhyped.confirm", message: expect.stringContaining("Delete the VM web") },
      ]);
      const [{ toolCallId }] = reader.of("TOOL_CALL_START");
      expect(reader.of("TOOL_CALL_RESULT")).toEqual([]);
      await reader.run(answer(reader, { approve: true }));
      expect(server.engine.rows.has("web")).toBe(false);
      expect(reader.of("TOOL_CALL_RESULT")).toMatchObject([{ toolCallId, content: "web is deleted" }]);
      expect(reader.of("TOOL_CALL_START")).toHaveLength(1);
      expect(reader.state.vms).toEqual({});
      expect(reader.finished.outcome).toEqual({ type: "success" });
    });

    test("declined or cancelled: not done, and said so", async () => {
      await using server = startTestServer();
      server.engine.add("web");
      for (const payload of [{ approve: false }, {}, { approve: "true" }]) {
        const reader = await deletion(server, wire);
        await reader.run(answer(reader, payload));
        expect(reader.said).toContain("declined");
        expect(reader.finished.outcome).toEqual({ type: "success" });
      }
      const reader = await deletion(server, wire);
      const [{ id }] = reader.agent.pendingInterrupts as unknown as [{ id: string }];
      await reader.run({ resume: [{ interruptId: id, status: "cancelled" }] });
      expect(server.engine.rows.has("web")).toBe(true);
    });
  });

test("what was to come after the question comes after the answer", async () => {
  await using server = startTestServer();
  server.engine.add("web");
  const operations = [
    { tool: "vm_list" },
    { tool: "vm_delete", arguments: { vm: "web" } },
    { tool: "vm_create", arguments: { name: "next" } },
  ];
  const reader = await new Reader(server).run({ forwardedProps: { operations } });
  expect(reader.finished.result.operations).toMatchObject([{ tool: "vm_list", ok: true }]);
  await reader.run(answer(reader, { approve: true }));
  expect([...server.engine.rows.keys()]).toEqual(["next"]);
  expect(reader.finished.result.operations).toMatchObject([{ tool: "vm_delete" }, { tool: "vm_create" }]);
});

test("an answer counts once, for its own thread, key and address only", async () => {
  await using server = startTestServer();
  server.engine.add("web");
  const other = server.keys.create({
    name: "other",
    scope: "operate",
    restriction: null,
    expires_at: null,
    rate_per_minute: null,
  }).key;
  const reader = await deletion(server);
  const [{ id }] = reader.agent.pendingInterrupts as unknown as [{ id: string }];
  const resume = [{ interruptId: id, status: "resolved", payload: { approve: true } }];
  const mine = { threadId: reader.agent.threadId, resume };
  const attempts: [string, object, RequestInit & { path?: string }][] = [
    ["unknown", input({ resume: [{ ...resume[0], interruptId: "int-nothing" }] }), {}],
    ["another thread", input({ resume }), {}],
    ["another key", input(mine), { headers: { authorization: `Bearer ${other}` } }],
    ["another address", input(mine), { path: "/agui/vms/web" }],
  ];
  for (const [name, body, init] of attempts) {
    const reply = await post(server, body, init);
    expect([name, reply.status, ((await reply.json()) as { code: string }).code]).toEqual([
      name,
      404,
      "interrupt_not_found",
    ]);
  }
  expect(server.engine.rows.has("web")).toBe(true);
  const twice = await Promise.all([post(server, input(mine)), post(server, input(mine))]);
  expect(twice.map(({ status }) => status).sort()).toEqual([200, 404]);
  await Promise.all(twice.map((reply) => reply.text()));
  expect(server.engine.rows.has("web")).toBe(false);
});

test("a thread that goes on without an answer has withdrawn its question", async () => {
  await using server = startTestServer();
  server.engine.add("web");
  const reader = await deletion(server);
  const [{ id }] = reader.agent.pendingInterrupts as unknown as [{ id: string }];
  const { threadId } = reader.agent;
  await (await post(server, input({ threadId, ...says("help") }))).text();
  const resume = [{ interruptId: id, status: "resolved", payload: { approve: true } }];
  expect((await post(server, input({ threadId, resume }))).status).toBe(404);
  // Nothing is left to cancel: that is no fault, and frees a client that still waits.
  const cancelled = [{ interruptId: id, status: "cancelled" }];
  expect((await post(server, input({ threadId, resume: cancelled }))).status).toBe(200);
});

describe.each(WIRES)("a browser in a person's hands (%s)", (wire) => {
  const click = { operations: [{ tool: "browser_click", arguments: { vm: "web", target: "e1" } }] };

  test("is not touched; approval after it was given back goes on, before that asks again", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    server.engine.takeControl("web", { link: null, label: "Ada" });
    const reader = await new Reader(server, { wire }).run({ forwardedProps: click });
    expect(reader.agent.pendingInterrupts).toMatchObject([
      { reason: "overhyped.human_control", message: expect.stringContaining("Ada") },
    ]);
    expect(reader.state.vms.web.control).toMatchObject({ label: "Ada" });
    await reader.run(answer(reader, { approve: true }));
    expect(reader.agent.pendingInterrupts).toHaveLength(1);
    server.engine.returnControl("web");
    await reader.run(answer(reader, { approve: true }));
    expect(reader.agent.pendingInterrupts).toEqual([]);
    // The engine of this test has no guest: that it was asked is what counts.
    expect(reader.finished.result.operations).toMatchObject([{ error: { code: "guest_unreachable" } }]);
  });

  test("is taken over by force; looking needs no question", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    server.engine.takeControl("web", { link: null, label: null });
    const reader = await new Reader(server, { wire }).run({ forwardedProps: click });
    await reader.run(answer(reader, { approve: true, force: true }));
    expect(reader.finished.result.operations).toMatchObject([{ error: { code: "guest_unreachable" } }]);
    await reader.say("/snapshot");
    expect(reader.finished.outcome).toEqual({ type: "success" });
  });
});

describe("a hand-over ends the run, and the person's word begins the next", () => {
  const handOver = {
    operations: [
      { tool: "browser_take_over", arguments: { vm: "web", reason: "log in" } },
      { tool: "vm_get", arguments: { vm: "web" } },
    ],
  };
  for (const wire of ["sse", "protobuf"] as const)
    for (const isReturned of [true, false])
      test(`${isReturned ? "they gave it back first" : "approval alone takes it back"} (${wire})`, async () => {
        await using server = startTestServer();
        server.engine.add("web");
        const reader = await new Reader(server, { wire }).run({ forwardedProps: handOver });
        expect(reader.agent.pendingInterrupts).toMatchObject([
          {
            reason: "overhyped.human_control",
            message: expect.stringContaining("log in"),
            metadata: { vm: "web", url: expect.stringContaining("/live"), expires_at: expect.any(String) },
          },
        ]);
        expect(reader.state.vms.web.control).not.toBeNull();
        expect(reader.of("TOOL_CALL_RESULT")).toEqual([]);
        if (isReturned) server.engine.returnControl("web");
        await reader.run(answer(reader, { approve: true }));
        expect(server.engine.get("web").control).toBeNull();
        expect(reader.state.vms.web.control).toBeNull();
        expect(reader.of("TOOL_CALL_RESULT")[0].content).toContain("gave the browser of web back");
        expect(reader.finished.result.operations).toMatchObject([
          { tool: "browser_take_over", ok: true },
          { tool: "vm_get", ok: true },
        ]);
      });

  test("declined: what nobody took up is taken back, what somebody has stays theirs", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    for (const label of [null, "Ada"]) {
      const reader = await new Reader(server).run({ forwardedProps: handOver });
      if (label) server.engine.takeControl("web", { link: null, label }, { force: true });
      await reader.run(answer(reader, { approve: false }));
      expect(reader.finished.result.operations).toMatchObject([{ ok: false, error: { code: "cancelled" } }]);
      expect(server.engine.get("web").control?.label ?? null).toBe(label);
    }
  });
});

for (const wire of ["sse", "protobuf"] as const)
  test(`what is said beside a no is done; a watch, too (${wire})`, async () => {
    await using server = startTestServer();
    server.engine.add("web");
    const no = (reader: Reader) => ({
      resume: reader.agent.pendingInterrupts.map(({ id }) => ({ interruptId: id, status: "cancelled" as const })),
    });
    const reader = await deletion(server, wire);
    await reader.say("/vms list", no(reader));
    expect(reader.finished.result.operations).toMatchObject([
      { tool: "vm_delete", ok: false },
      { tool: "vm_list", ok: true },
    ]);
    expect(reader.said).toContain("declined");
    const watching = await deletion(server, wire);
    const started = watching.next(({ type }) => type === "TEXT_MESSAGE_END");
    const watch = watching.say("/watch", no(watching)).catch(() => {});
    await started;
    server.shutDown.abort();
    await watch;
    expect(watching.finished.outcome).toEqual({ type: "cancelled" });
    expect(server.engine.rows.has("web")).toBe(true);
  });

test("an approval is done also where the front end always asks for a watch", async () => {
  await using server = startTestServer();
  server.engine.add("web");
  const reader = await deletion(server);
  await reader.run({ ...answer(reader, { approve: true }), forwardedProps: { watch: true } });
  expect(server.engine.rows.has("web")).toBe(false);
  expect(reader.finished.outcome).toEqual({ type: "success" });
});

test("a key forgets its own oldest questions, never another's", () => {
  const interrupts = new Interrupts();
  const waiting = {
    operation: { tool: "t", arguments: {} },
    toolCallId: "c",
    rest: null,
    why: "confirm" as const,
    confirmed: false,
    forced: false,
  };
  const asker = (caller: string) => ({ caller, threadId: "t1", vm: null });
  const mine = interrupts.ask(asker("mine"), waiting, "?");
  const theirs = Array.from({ length: 1_001 }, () => interrupts.ask(asker("theirs"), waiting, "?"));
  const take = (caller: string, { id }: { id: string }) =>
    interrupts.take(asker(caller), [{ interruptId: id, status: "resolved" }]);
  expect(take("mine", mine)).toHaveLength(1);
  expect(take("theirs", theirs.at(-1)!)).toHaveLength(1);
  expect(() => take("theirs", theirs[0]!)).toThrow(expect.objectContaining({ code: "interrupt_not_found" }));
});
