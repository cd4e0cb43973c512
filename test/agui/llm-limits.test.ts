import { describe, expect, test } from "bun:test";
import { encode } from "gpt-tokenizer";
import { estimatedTokens, Tally } from "../../src/agui/llm/tally.ts";
import { HypeError, type Vm } from "../../src/contract/index.ts";
import type { OperationOptions } from "../../src/engine/types.ts";
import { TOOLS } from "../../src/tools/registry.ts";
import { inputSchema } from "../../src/tools/schema.ts";
import { connectClient, newKey } from "../mcp/world.ts";
import { input, post, Reader, says as saying, WIRES } from "./lib.ts";
import { modelWorld } from "./model-world.ts";
import { calls, ends, says, type Turn } from "./scripted-model.ts";

/** An end that tells no usage, as many endpoints have it. */
const endsUncounted = (reason: string): (object | string)[] => ends(reason).filter((_, nth) => nth !== 1);
const namesOf = (body: any): string[] => body.tools.map((tool: any) => tool.function.name);

describe("the tools a model is offered", () => {
  const hello: Turn = { pieces: [...says("Hello."), ...ends("stop")] };
  const offered = async (said: { vm?: string; scope?: "read" | "operate"; toolGroups?: string }) => {
    await using it = modelWorld([hello]);
    it.server.engine.add("web");
    const key = said.scope && newKey(it.server, { name: "k", scope: said.scope });
    const reader = new Reader(it.server, { ...(said.vm && { vm: said.vm }), ...(key && { key }) });
    await reader.say("hello there", {
      ...(said.toolGroups !== undefined && { forwardedProps: { toolGroups: said.toolGroups } }),
    });
    const path = `/mcp${said.vm ? `/vms/${said.vm}` : ""}${said.toolGroups ? `?tools=${said.toolGroups}` : ""}`;
    await using mcp = await connectClient(`${it.server.url}${path}`, "auto", key ? { key } : {});
    const listed = (await mcp.client.listTools()).tools;
    return { body: it.model.asked[0]!.body, listed };
  };

  test.each([
    [{}],
    [{ vm: "web" }],
    [{ toolGroups: "all" }],
    [{ toolGroups: "default,network" }],
    [{ vm: "web", toolGroups: "all" }],
    [{ scope: "read", toolGroups: "all" }],
  ] as const)("are those MCP lists for the same: %j", async (said) => {
    const { body, listed } = await offered(said);
    expect(namesOf(body)).toEqual(listed.map(({ name }) => name));
    for (const { function: its } of body.tools) {
      const { properties = {} } = its.parameters;
      expect(Object.keys(properties), its.name).not.toContain("confirm"); // a person's to say
      if ("vm" in said) expect(Object.keys(properties), its.name).not.toContain("vm");
    }
    expect(JSON.stringify(body.tools)).not.toContain('"-"');
  });

  test("are the server's own choice where a run does not say", async () => {
    await using it = modelWorld([hello, hello], {}, { tools: ["vms", "host"] });
    const chosen = TOOLS.filter(({ group }) => group === "vms" || group === "host").map(({ name }) => name);
    await new Reader(it.server, {}).say("hello there");
    expect(namesOf(it.model.asked[0]!.body)).toEqual(chosen);
    await new Reader(it.server, {}).say("hello there", { forwardedProps: { toolGroups: "files" } });
    expect(namesOf(it.model.asked[1]!.body)).toEqual(
      TOOLS.filter(({ group }) => group === "files").map(({ name }) => name),
    );
  });

  test("of groups nobody knows are refused before the run", async () => {
    await using it = modelWorld([]);
    const reply = await post(it.server, input({ ...saying("hello"), forwardedProps: { toolGroups: "default,magic" } }));
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ code: "invalid_request", detail: expect.stringContaining("network") });
    expect(it.model.asked).toEqual([]);
  });
});

describe.each(WIRES)("an endpoint that counts nothing (%s)", (wire) => {
  test("is counted by what was sent and said, and the run says so", async () => {
    await using it = modelWorld([
      { pieces: [...calls(0, "vm_list", "{}"), ...endsUncounted("tool_calls")] },
      { pieces: [...says("Nothing runs."), ...ends("stop", 0, 0)] }, // and one that says it was nothing
    ]);
    const reader = await new Reader(it.server, { wire }).say("what runs?");
    const { usage, result, metadata } = reader.finished;
    const sent = it.model.asked.map(({ body: { messages, tools } }) =>
      estimatedTokens(JSON.stringify({ messages, tools })),
    );
    const inputTokens = sent.reduce((sum, one) => sum + one, 0);
    const outputTokens = estimatedTokens("{}") + estimatedTokens("Nothing runs.");
    expect(usage).toEqual([{ model: "test-1", inputTokens, outputTokens, totalTokens: inputTokens + outputTokens }]);
    expect(result).toMatchObject({ usage_estimated: true });
    expect(metadata).toEqual({ usageEstimated: true });
  });

  test("has its cap, too", async () => {
    const turn: Turn = { pieces: [...calls(0, "vm_list", "{}"), ...endsUncounted("tool_calls")] };
    await using it = modelWorld(
      Array.from({ length: 24 }, () => turn),
      { tokens: 6_000 },
    );
    const reader = await new Reader(it.server, { wire }).say("spend it all");
    expect(it.model.asked.length).toBeGreaterThan(1);
    expect(it.model.asked.length).toBeLessThan(24);
    expect(reader.said).toContain("6000 tokens");
    expect(reader.finished.result.usage_estimated).toBe(true);
    expect(reader.finished.usage[0].totalTokens).toBeGreaterThan(6_000);
  });

  test("that fails later tells the estimate with the error", async () => {
    await using it = modelWorld([
      { pieces: [...calls(0, "vm_list", "{}"), ...endsUncounted("tool_calls")] },
      { pieces: [] },
    ]);
    const reader = await new Reader(it.server, { wire }).say("hello there");
    expect(reader.of("RUN_ERROR")).toMatchObject([
      { usage: [{ inputTokens: expect.any(Number) }], metadata: { usageEstimated: true } },
    ]);
  });
});

test("what an endpoint counts is believed, and not said to be a guess", async () => {
  await using it = modelWorld([{ pieces: [...says("Hello."), ...ends("stop", 7, 3)] }]);
  const reader = await new Reader(it.server).say("hello there");
  expect(reader.finished.usage).toMatchObject([{ inputTokens: 7, outputTokens: 3, totalTokens: 10 }]);
  expect(reader.finished.result).toEqual({ operations: [] });
  expect(reader.finished.metadata).toBeUndefined();
});

describe("the estimate", () => {
  test("is near to what a tokenizer counts, for what a model is mostly sent", () => {
    const tools = JSON.stringify(TOOLS.map((tool) => [tool.name, tool.description, inputSchema(tool, false)]));
    for (const text of [tools, INPUTS.prose, INPUTS.code]) {
      const counted = encode(text).length;
      expect(estimatedTokens(text) / counted).toBeGreaterThan(0.6);
      expect(estimatedTokens(text) / counted).toBeLessThan(1.7);
    }
  });

  test("is made of what is missing alone", () => {
    const tally = new Tally();
    tally.add({ input: 100, output: null }, () => "unused", "four");
    expect([tally.input, tally.output, tally.isEstimated]).toEqual([100, 1, true]);
    const silent = new Tally();
    silent.add({ input: 100, output: 0 }, () => "unused", ""); // it said nothing: that is a count
    expect([silent.total, silent.isEstimated]).toEqual([100, false]);
  });
});

const INPUTS = {
  prose:
    "The browser of this machine shows a shop. Put two items into the basket, read the total, and download the receipt. " +
    "If a person has to log in, hand the browser over and wait until it is given back.",
  code: "const total = items.reduce((sum, { price, count }) => sum + price * count, 0);\nif (total > most) throw new Error(`too much: ${total}`);",
};

describe.each(WIRES)("the time a run may take (%s)", (wire) => {
  test("ends an endpoint that stalls", async () => {
    await using it = modelWorld([{ pieces: says("Hel"), stalls: true }], { totalMs: 100 });
    const reader = await new Reader(it.server, { wire }).say("hello there");
    expect(reader.error).toMatchObject({ code: "operation_timeout" });
    expect(reader.types.at(-1)).toBe("RUN_ERROR");
    await it.model.left.promise;
  });

  test("ends a tool that is at work, and its work", async () => {
    const turn: Turn = { pieces: [...calls(0, "vm_create", '{"name":"web"}'), ...ends("tool_calls", 9, 1)] };
    await using it = modelWorld([turn], { totalMs: 1_000 });
    const works: AbortSignal[] = [];
    it.server.engine.create = (_input: unknown, { signal }: OperationOptions = {}) => {
      works.push(signal!);
      return new Promise<Vm>((_, reject) =>
        signal!.addEventListener("abort", () => reject(new HypeError("cancelled", "undone"))),
      );
    };
    const reader = await new Reader(it.server, { wire }).say("make one"); // the model's answer is here long before
    expect(reader.error).toMatchObject({ code: "operation_timeout" });
    expect(works.map(({ aborted }) => aborted)).toEqual(works.map(() => true));
    expect(reader.of("RUN_ERROR")).toMatchObject([works.length > 0 ? { usage: [{ totalTokens: 10 }] } : {}]);
    expect(it.model.asked).toHaveLength(1);
  });
});

test("silence of the endpoint ends the run, however long it may take", async () => {
  await using it = modelWorld([{ pieces: says("Hel"), stalls: true }], { silenceMs: 100 });
  const reader = await new Reader(it.server).say("hello there");
  expect(reader.error).toMatchObject({ code: "llm_failed", message: expect.stringContaining("said nothing") });
});

test("a client that goes away while a model's call is at work ends the work, and nothing is asked any more", async () => {
  await using it = modelWorld([
    { pieces: [...calls(0, "vm_create", '{"name":"web"}'), ...ends("tool_calls")] },
    { pieces: [...says("Done."), ...ends("stop")] },
  ]);
  const begun = Promise.withResolvers<void>();
  const undone = Promise.withResolvers<void>();
  it.server.engine.create = (_input: unknown, { signal }: OperationOptions = {}) => {
    begun.resolve();
    return new Promise<Vm>((_, reject) =>
      signal!.addEventListener("abort", () => {
        undone.resolve();
        reject(new HypeError("cancelled", "undone"));
      }),
    );
  };
  const away = new AbortController();
  const reply = await post(it.server, input(saying("make one")), { signal: away.signal });
  await begun.promise;
  away.abort();
  await undone.promise;
  await reply.text().catch(() => {});
  const other = await new Reader(it.server).say("/vms list"); // runs go on
  expect(other.finished.outcome).toEqual({ type: "success" });
  expect(it.model.asked).toHaveLength(1);
});
