import { describe, expect, test } from "bun:test";
import { buildResumeArray } from "@ag-ui/client";
import { ask } from "../../src/agui/llm/endpoint.ts";
import { refused } from "../lib/refused.ts";
import { startTestServer } from "../server/harness.ts";
import { input, post, Reader, says as saying, WIRES } from "./lib.ts";
import { modelWorld as world } from "./model-world.ts";
import { calls, ends, says, scriptedModel, thinks, type Turn } from "./scripted-model.ts";

for (const wire of ["sse", "protobuf"] as const)
  test(`thinks, calls our tools, is told what came of it, and answers (${wire})`, async () => {
    await using it = world([
      {
        pieces: [
          thinks("A VM is "),
          thinks("needed."),
          ...says("I make ", "one."),
          ...calls(0, "vm_create", '{"na', 'me":"shop"}'),
          ...ends("tool_calls", 100, 20),
        ],
      },
      { pieces: [...says("Done: ", "shop runs."), ...ends("stop", 150, 10)] },
    ]);
    const reader = await new Reader(it.server, { wire }).say("please get me a browser for shopping");
    expect(it.server.engine.rows.has("shop")).toBe(true);
    expect(reader.said).toBe("I make one.Done: shop runs.");
    expect(reader.of("REASONING_MESSAGE_CONTENT").map(({ delta }) => delta)).toEqual(["A VM is ", "needed."]);
    expect(reader.of("TOOL_CALL_ARGS").map(({ delta }) => delta)).toEqual(['{"na', 'me":"shop"}']);
    expect(reader.finished).toMatchObject({
      outcome: { type: "success" },
      usage: [{ model: "test-1", inputTokens: 250, outputTokens: 30, totalTokens: 280 }],
    });
    const [first, second] = it.model.asked;
    expect(first).toMatchObject({ key: "Bearer sk-secret-key", body: { model: "test-1", stream: true } });
    expect(first!.body.messages.at(-1)).toEqual({ role: "user", content: "please get me a browser for shopping" });
    expect(first!.body.tools.map((tool: any) => tool.function.name)).toContain("browser_navigate");
    const [call, result] = second!.body.messages.slice(-2);
    expect(call).toMatchObject({
      role: "assistant",
      content: "I make one.",
      tool_calls: [{ function: { name: "vm_create" } }],
    });
    expect(result).toMatchObject({
      role: "tool",
      tool_call_id: call.tool_calls[0].id,
      content: expect.stringContaining("Created"),
    });
    // The next run of the thread tells the model the same story.
    await reader.say("and then?").catch(() => {});
    const told = it.model.asked[2]!.body.messages.map(({ role }: { role: string }) => role);
    expect(told).toEqual(["system", "user", "assistant", "assistant", "tool", "assistant", "user"]);
    expect(it.server.lines.join("")).not.toContain("sk-secret-key");
  });

test("commands need no model, and reach none", async () => {
  await using it = world([]);
  const reader = await new Reader(it.server).say("/vms list");
  expect(reader.finished.result.operations).toMatchObject([{ ok: true }]);
  expect(it.model.asked).toEqual([]);
});

test("it has the caller's rights, and is told of its mistakes: unknown tools, broken JSON, what the scope does not hold", async () => {
  await using it = world([
    {
      pieces: [
        ...calls(0, "vm_craete", "{}"),
        ...calls(1, "vm_list", "{"),
        ...calls(2, "vm_delete", '{"vm":"web"}'),
        ...calls(3, "vm_list", "[1]"),
        ...ends("tool_calls"),
      ],
    },
    { pieces: [...says("Sorry."), ...ends("stop")] },
  ]);
  it.server.engine.add("web");
  const { key } = it.server.keys.create({
    name: "reader",
    scope: "read",
    restriction: null,
    expires_at: null,
    rate_per_minute: null,
  });
  const reader = await new Reader(it.server, { key }).say("tidy up");
  expect(it.model.asked[0]!.body.tools.map((tool: any) => tool.function.name)).not.toContain("vm_delete");
  const told = it.model.asked[1]!.body.messages.filter(({ role }: { role: string }) => role === "tool");
  expect(told.map(({ content }: { content: string }) => content.split("\n")[0])).toEqual([
    expect.stringContaining("there is no tool vm_craete"),
    expect.stringContaining("not a JSON object"),
    expect.stringContaining("there is no tool vm_delete"),
    expect.stringContaining("not a JSON object"),
  ]);
  expect(it.server.engine.rows.has("web")).toBe(true);
  expect(reader.finished.outcome).toEqual({ type: "success" });
});

test("what ends something for good is a person's to say, whatever the model says; after the word it goes on", async () => {
  await using it = world([
    {
      pieces: [
        ...calls(0, "vm_delete", '{"vm":"web","confirm":true}'),
        ...calls(1, "vm_list", "{}"),
        ...ends("tool_calls"),
      ],
    },
    { pieces: [...says("web is gone."), ...ends("stop")] },
  ]);
  it.server.engine.add("web");
  const reader = await new Reader(it.server).say("get rid of everything");
  expect(it.server.engine.rows.has("web")).toBe(true);
  const [pending] = reader.agent.pendingInterrupts;
  await reader.run({
    resume: buildResumeArray(reader.agent.pendingInterrupts, {
      [pending!.id]: { status: "resolved", payload: { approve: true } },
    }),
  });
  expect(it.server.engine.rows.has("web")).toBe(false);
  expect(reader.said).toEndWith("web is gone.");
  const results = it.model.asked[1]!.body.messages.filter(({ role }: { role: string }) => role === "tool");
  expect(results.map(({ content }: { content: string }) => content)).toEqual([
    "web is deleted",
    "Not done: a call before it waits for the user's answer.",
  ]);
});

test("tools of the front end are handed back, never answered", async () => {
  await using it = world([
    { pieces: [...calls(0, "pick_colour", '{"of":"car"}'), ...calls(1, "vm_list", "{}"), ...ends("tool_calls")] },
    { pieces: [...says("Red it is."), ...ends("stop")] },
  ]);
  const tools = [
    {
      name: "pick_colour",
      description: "Asks the user",
      parameters: { type: "object", properties: { of: { type: "string" } } },
    },
    { name: "vm_list", description: "not the front end's to have", parameters: {} },
  ];
  const reader = await new Reader(it.server).say("which colour?", { tools });
  const [front, own] = reader.of("TOOL_CALL_START");
  expect(reader.finished.outcome).toEqual({ type: "success", pendingToolCallIds: [front.toolCallId] });
  expect(reader.of("TOOL_CALL_RESULT").map(({ toolCallId }) => toolCallId)).toEqual([own.toolCallId]);
  const offered = it.model.asked[0]!.body.tools.filter((tool: any) => tool.function.name === "vm_list");
  expect(offered).toHaveLength(1);
  expect(offered[0].function.description).not.toContain("front end");
  reader.agent.addMessage({ id: "t1", role: "tool", toolCallId: front.toolCallId, content: "red" });
  await reader.run({ tools });
  expect(reader.said).toBe("Red it is.");
});

describe.each(WIRES)("an endpoint that misbehaves ends the run by RUN_ERROR, logged once (%s)", (wire) => {
  const table: [name: string, turn: Turn, words: string][] = [
    [
      "refuses",
      { status: 401, contentType: "application/json", pieces: ['{"error":{"message":"bad key"}}'] },
      "answered 401: bad key",
    ],
    ["sends broken JSON", { pieces: [...says("Hello"), 'data: {"choices": [{\n\n'] }, "no piece of an answer"],
    ["sends something else", { pieces: ["data: 42\n\n"] }, "no piece of an answer"],
    ["sends half a stream", { pieces: says("Hel", "lo") }, "ended in the middle"],
    ["sends nothing", { pieces: [] }, "ended in the middle"],
    ["fails in its stream", { pieces: [...says("Hel"), { error: { message: "overloaded" } }] }, "says: overloaded"],
    [
      "calls nameless tools",
      { pieces: [{ choices: [{ delta: { tool_calls: [{ index: 0, function: {} }] } }] }] },
      "without a name",
    ],
    [
      "calls without end",
      { pieces: Array.from({ length: 40 }, (_, at) => calls(at, "vm_list", "{}")).flat() },
      "more than 32 tools",
    ],
    [
      "talks without end",
      { pieces: Array.from({ length: 50 }, () => says("x".repeat(10_000))).flat() },
      "more than one answer",
    ],
  ];
  for (const [name, turn, words] of table)
    test(name, async () => {
      await using it = world([turn]);
      const reader = await new Reader(it.server, { wire }).say("hello there");
      expect(reader.error).toMatchObject({ code: "llm_failed", message: expect.stringContaining(words) });
      expect(reader.types.at(-1)).toBe("RUN_ERROR");
      expect(it.server.lines.filter((line) => line.includes("model's endpoint"))).toHaveLength(1);
    });

  test("is not there", async () => {
    const gone = scriptedModel([]);
    gone[Symbol.dispose]();
    await using server = startTestServer({ config: { llm: { baseUrl: gone.baseUrl, model: "m", key: null } } });
    const reader = await new Reader(server, { wire }).say("hello there");
    expect(reader.error).toMatchObject({ code: "llm_failed", message: expect.stringContaining("cannot be reached") });
  });

  test("stalls", async () => {
    using model = scriptedModel([{ pieces: says("Hel"), stalls: true }]);
    const settings = { baseUrl: model.baseUrl, model: "m", key: null };
    const read = async () => {
      for await (const _ of ask(settings, [], [], new AbortController().signal, 50));
    };
    expect(await refused("llm_failed", read())).toContain("said nothing");
    await model.left.promise;
  });
});

test("an answer that repeats itself ends with the rounds it may have", async () => {
  await using it = world(
    Array.from({ length: 30 }, () => ({ pieces: [...calls(0, "vm_list", "{}"), ...ends("tool_calls")] })),
  );
  const reader = await new Reader(it.server).say("loop for ever");
  expect(it.model.asked).toHaveLength(24);
  expect(reader.said).toContain("was asked 24 times");
});

test("tokens are counted, and end the run", async () => {
  await using it = world([{ pieces: [...calls(0, "vm_list", "{}"), ...ends("tool_calls", 399_999, 2)] }]);
  const reader = await new Reader(it.server).say("spend it all");
  expect(it.model.asked).toHaveLength(1);
  expect(reader.said).toContain("tokens");
});

test("a client that goes away while the model speaks ends the model's answer, too", async () => {
  await using it = world([{ pieces: says("Hel"), stalls: true }]);
  const away = new AbortController();
  const reply = await post(it.server, input(saying("hello there")), { signal: away.signal });
  await it.model.begun.promise;
  away.abort();
  await it.model.left.promise;
  await reply.text().catch(() => {});
});

test("calls without an index are told apart by their ids, or by their names", async () => {
  const piece = (given: object) => ({ choices: [{ index: 0, delta: { tool_calls: [given] } }] });
  await using it = world([
    {
      pieces: [
        piece({ id: "a", function: { name: "vm_get", arguments: '{"vm":' } }),
        piece({ id: "a", function: { arguments: '"web"}' } }),
        piece({ id: "b", function: { name: "vm_get", arguments: '{"vm":"other"}' } }),
        piece({ function: { name: "vm_list", arguments: "{" } }),
        piece({ function: { arguments: "}" } }),
        ...ends("tool_calls"),
      ],
    },
    { pieces: [...says("Two."), ...ends("stop")] },
  ]);
  for (const name of ["web", "other"]) it.server.engine.add(name);
  const reader = await new Reader(it.server).say("look at both of them");
  expect(reader.finished.result.operations).toMatchObject([
    { tool: "vm_get", ok: true, text: expect.stringContaining("web") },
    { tool: "vm_get", ok: true, text: expect.stringContaining("other") },
    { tool: "vm_list", ok: true },
  ]);
});

test("a model that takes the limit of its answer under the newer name only gets it so", async () => {
  const fault = { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." } };
  await using it = world([
    { status: 400, contentType: "application/json", pieces: [JSON.stringify(fault)] },
    { pieces: [...says("Hello."), ...ends("stop")] },
  ]);
  const reader = await new Reader(it.server).say("hello there");
  expect(reader.said).toBe("Hello.");
  expect(it.model.asked.map(({ body }) => [body.max_tokens, body.max_completion_tokens])).toEqual([
    [8_192, undefined],
    [undefined, 8_192],
  ]);
});

for (const wire of ["sse", "protobuf"] as const)
  test(`a run that fails tells what was paid for until then (${wire})`, async () => {
    await using it = world([
      { pieces: [...calls(0, "vm_list", "{}"), ...ends("tool_calls", 100, 20)] },
      { pieces: [] },
    ]);
    const reader = await new Reader(it.server, { wire }).say("hello there");
    expect(reader.error).toMatchObject({ code: "llm_failed" });
    expect(reader.of("RUN_ERROR")).toMatchObject([
      { usage: [{ model: "test-1", inputTokens: 100, outputTokens: 20, totalTokens: 120 }] },
    ]);
  });

test("a call of the front end beside a question waits for the answer, and is handed back then", async () => {
  await using it = world([
    { pieces: [...calls(0, "pick_colour", "{}"), ...calls(1, "vm_delete", '{"vm":"web"}'), ...ends("tool_calls")] },
    { pieces: [...says("Red, and gone."), ...ends("stop")] },
  ]);
  it.server.engine.add("web");
  const tools = [{ name: "pick_colour", description: "Asks the user", parameters: {} }];
  const reader = await new Reader(it.server).say("delete it in colour", { tools });
  const [front] = reader.of("TOOL_CALL_START");
  const [pending] = reader.agent.pendingInterrupts;
  await reader.run({
    tools,
    resume: buildResumeArray(reader.agent.pendingInterrupts, {
      [pending!.id]: { status: "resolved", payload: { approve: true } },
    }),
  });
  expect(it.server.engine.rows.has("web")).toBe(false);
  expect(reader.finished.outcome).toEqual({ type: "success", pendingToolCallIds: [front.toolCallId] });
  expect(it.model.asked).toHaveLength(1);
  reader.agent.addMessage({ id: "t1", role: "tool", toolCallId: front.toolCallId, content: "red" });
  await reader.run({ tools });
  const results = it.model.asked[1]!.body.messages.filter(({ role }: { role: string }) => role === "tool");
  expect(results.map(({ content }: { content: string }) => content)).toEqual(["red", "web is deleted"]);
  expect(reader.said).toBe("Red, and gone.");
});

test("an answer that was cut by its length says so", async () => {
  await using it = world([{ pieces: [...says("Once upon"), ...ends("length")] }]);
  const reader = await new Reader(it.server).say("tell me a story");
  expect(reader.said).toBe("Once upon(The answer was cut off: it was too long.)");
});

test("a model that hands the browser over has its turn ended, and goes on when the person is done", async () => {
  await using it = world([
    { pieces: [...calls(0, "browser_take_over", '{"vm":"web","reason":"log in"}'), ...ends("tool_calls")] },
    { pieces: [...says("Logged in."), ...ends("stop")] },
  ]);
  it.server.engine.add("web");
  const reader = await new Reader(it.server).say("open my mail");
  const [pending] = reader.agent.pendingInterrupts as unknown as [{ id: string; metadata: { url: string } }];
  await reader.run({
    resume: buildResumeArray(reader.agent.pendingInterrupts, {
      [pending.id]: { status: "resolved", payload: { approve: true } },
    }),
  });
  const { messages } = it.model.asked[1]!.body;
  expect(messages.at(-1)).toMatchObject({
    role: "tool",
    content: expect.stringContaining("gave the browser of web back"),
  });
  expect(JSON.stringify(messages)).not.toContain(pending.metadata.url); // it is the person's alone
  expect(reader.said).toBe("Logged in.");
});
