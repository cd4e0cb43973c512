import {
  acceptedContent,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  type McpServer,
} from "@modelcontextprotocol/server";

export type AddTool = (name: string, config: object, run: (args: any, ctx?: any) => any) => void;

/** What goes to the client between two rounds and comes back: signed, so that a changed one is refused. */
export const state = createRequestStateCodec<{ round: number }>({
  key: crypto.getRandomValues(new Uint8Array(32)),
  ttlSeconds: 60,
});

const text = (words: string) => ({ content: [{ type: "text" as const, text: words }] });
const object = (properties: Record<string, object>) => ({
  type: "object" as const,
  properties: properties as never,
  required: Object.keys(properties),
});
const elicit = (message: string, properties: Record<string, object>) =>
  inputRequired.elicit({ message, requestedSchema: object(properties) as never });
const sampleOf = (words: string) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text: words } }], maxTokens: 100 });
const missing = (ctx: any, key: string): boolean => inputResponse(ctx.mcpReq.inputResponses, key).kind === "missing";

/** The 2026 era's way to ask: a call comes back with questions, and again with answers. */
export function addRounds(mcp: McpServer, tool: AddTool): void {
  const confirm = { confirm: elicit("Please confirm", { ok: { type: "boolean" } }) };
  for (const name of ["request_state", "tampered_state"])
    tool(`test_input_required_result_${name}`, { description: name }, async (ctx) =>
      ctx.mcpReq.requestState() === undefined || missing(ctx, "confirm")
        ? inputRequired({ inputRequests: confirm, requestState: await state.mint({ round: 1 }, ctx) })
        : text("state-ok"),
    );
  tool("test_input_required_result_multi_round", { description: "two questions, one after the other" }, async (ctx) => {
    const round = ctx.mcpReq.requestState()?.round ?? 0;
    const ask = async (next: number, message: string, field: string) =>
      inputRequired({
        inputRequests: { [`step${next}`]: elicit(`Step ${next}: ${message}`, { [field]: { type: "string" } }) },
        requestState: await state.mint({ round: next }, ctx),
      });
    if (round === 0 || (round === 1 && missing(ctx, "step1"))) return await ask(1, "What is your name?", "name");
    if (round === 1 || missing(ctx, "step2")) return await ask(2, "What is your favorite color?", "color");
    return text("both steps are done");
  });
  tool("test_input_required_result_capabilities", { description: "asks only what the client can answer" }, (ctx) => {
    // oxlint-disable-next-line no-deprecated
    const { elicitation, sampling } = mcp.server.getClientCapabilities() ?? {};
    if (!missing(ctx, "question")) return text("answered");
    if (sampling) return inputRequired({ inputRequests: { question: sampleOf("What is the capital of France?") } });
    return elicitation
      ? inputRequired({ inputRequests: { question: confirm.confirm } })
      : text("there is nobody to ask");
  });
  const prompt = mcp.registerPrompt.bind(mcp) as (name: string, config: object, make: (ctx: any) => object) => void;
  prompt("test_input_required_result_prompt", { description: "asks for its context" }, (ctx) => {
    const context = { user_context: elicit("What context should the prompt use?", { context: { type: "string" } }) };
    if (missing(ctx, "user_context")) return inputRequired({ inputRequests: context });
    const said = acceptedContent<{ context: string }>(ctx.mcpReq.inputResponses, "user_context");
    return { messages: [{ role: "user", content: { type: "text", text: `In the context ${said?.context}.` } }] };
  });
}

const titled = (...titles: string[]) => titles.map((title, at) => ({ const: `value${at + 1}`, title }));
const OPTIONS = { type: "string", enum: ["option1", "option2", "option3"] };
const ENUMS = {
  untitledSingle: OPTIONS,
  titledSingle: { type: "string", oneOf: titled("First Option", "Second Option", "Third Option") },
  legacyEnum: {
    type: "string",
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: { type: "array", items: OPTIONS },
  titledMulti: { type: "array", items: { anyOf: titled("First Choice", "Second Choice", "Third Choice") } },
};
const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};

/** Until 2025-11-25 the server asks by itself, in the middle of a call: the same handlers, turned into that by the SDK. */
export function addPushes(tool: AddTool): void {
  const asks = (name: string, argument: string | null, question: (given: string) => object) =>
    tool(
      name,
      {
        description: name,
        ...(argument !== null && { inputSchema: fromJsonSchema(object({ [argument]: { type: "string" } }) as never) }),
      },
      (...call) => {
        const [args, ctx] = argument === null ? [{}, call[0]] : call;
        if (missing(ctx, "question"))
          return inputRequired({ inputRequests: { question: question(String(args[argument ?? ""])) as never } });
        return text(`answered: ${JSON.stringify(inputResponse(ctx.mcpReq.inputResponses, "question"))}`);
      },
    );
  asks("test_sampling", "prompt", (given) => sampleOf(given));
  const WHO = { username: { type: "string" }, email: { type: "string" } };
  asks("test_elicitation", "message", (given) => elicit(given, WHO));
  asks("test_elicitation_sep1034_defaults", null, () => elicit("Please check", DEFAULTS));
  asks("test_elicitation_sep1330_enums", null, () => elicit("Please choose", ENUMS));
  tool("test_tool_with_logging", { description: "logs three lines" }, async (ctx) => {
    for (const line of ["Tool execution started", "Tool processing data", "Tool execution completed"])
      await ctx.mcpReq.log("info", line);
    return text("done");
  });
}
