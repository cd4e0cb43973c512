import {
  fromJsonSchema,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
  type Server,
} from "@modelcontextprotocol/server";
import { addPushes, addRounds, type AddTool, state } from "./conformance-rounds.ts";

/** One red pixel, and a silent sound: as short as their formats allow. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
const text = (words: string) => ({ type: "text" as const, text: words });
const image = { type: "image" as const, data: PNG, mimeType: "image/png" };
const NAME = { type: "object" as const, properties: { name: { type: "string" as const } }, required: ["name"] };
const ask = (message: string) => inputRequired.elicit({ message, requestedSchema: NAME });
const sample = inputRequired.createMessage({
  messages: [{ role: "user", content: { type: "text", text: "What is the capital of France?" } }],
  maxTokens: 100,
});

/** What the conformance suite wants to find on a server, on our transports: it says nothing about our tools. */
export function fixtureServer(): Server {
  const mcp = new McpServer(
    { name: "fixture", version: "1" },
    {
      capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, completions: {}, logging: {} },
      requestState: { verify: state.verify },
    },
  );
  const tool = mcp.registerTool.bind(mcp) as AddTool;
  const simple = (name: string, content: object[]) => tool(name, { description: name }, () => ({ content }));
  simple("test_simple_text", [text("This is a simple text response for testing.")]);
  simple("test_image_content", [image]);
  simple("test_audio_content", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  const embedded = {
    uri: "test://embedded-resource",
    mimeType: "text/plain",
    text: "This is an embedded resource content.",
  };
  simple("test_embedded_resource", [{ type: "resource", resource: embedded }]);
  const mixed = {
    uri: "test://mixed-content-resource",
    mimeType: "application/json",
    text: '{"test":"data","value":123}',
  };
  simple("test_multiple_content_types", [
    text("Multiple content types test:"),
    image,
    { type: "resource", resource: mixed },
  ]);
  tool("test_error_handling", { description: "fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  tool("test_tool_with_progress", { description: "tells" }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100])
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
    return { content: [text("done")] };
  });
  const asking = (name: string, requests: Record<string, ReturnType<typeof ask>>) =>
    tool(name, { description: name }, async (ctx) => {
      const given = Object.keys(requests).map((key) => inputResponse(ctx.mcpReq.inputResponses, key));
      if (given.some(({ kind }) => kind === "missing"))
        return inputRequired({ inputRequests: requests, requestState: await state.mint({ round: 1 }, ctx) });
      return { content: [text(JSON.stringify(given))] };
    });
  asking("test_streaming_elicitation", { user_name: ask("What is your name?") });
  addRounds(mcp, tool);
  addPushes(tool);
  tool("test_logging_tool", { description: "logs where a level was asked for" }, async (ctx) => {
    await ctx.mcpReq.log("info", "a line");
    return { content: [text("done")] };
  });
  asking("test_missing_capability", { model: sample });
  asking("test_input_required_result_elicitation", { user_name: ask("What is your name?") });
  asking("test_input_required_result_sampling", { capital_question: sample });
  asking("test_input_required_result_list_roots", { client_roots: inputRequired.listRoots() });
  asking("test_input_required_result_multiple_inputs", {
    user_name: ask("What is your name?"),
    greeting: sample,
    client_roots: inputRequired.listRoots(),
  });
  tool(
    "json_schema_2020_12_tool",
    {
      description: "keeps its schema",
      inputSchema: fromJsonSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: {
            $anchor: "addressDef",
            type: "object",
            properties: { street: { type: "string" }, city: { type: "string" } },
          },
        },
        properties: {
          name: { type: "string" },
          address: { $ref: "#/$defs/address" },
          contactMethod: { type: "string", enum: ["phone", "email"] },
          phone: { type: "string" },
          email: { type: "string" },
        },
        allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
        if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
        // oxlint-disable-next-line no-thenable
        then: { required: ["phone"] },
        else: { required: ["email"] },
        additionalProperties: false,
      }),
    },
    () => ({ content: [text("ok")] }),
  );

  const shown = (uri: URL, contents: object) => ({ contents: [{ uri: uri.href, ...contents }] }) as never;
  mcp.registerResource("static-text", "test://static-text", { mimeType: "text/plain" }, (uri) =>
    shown(uri, { mimeType: "text/plain", text: "This is the content of the static text resource." }),
  );
  mcp.registerResource("static-binary", "test://static-binary", { mimeType: "image/png" }, (uri) =>
    shown(uri, { mimeType: "image/png", blob: PNG }),
  );
  mcp.registerResource("watched", "test://watched-resource", { mimeType: "text/plain" }, (uri) =>
    shown(uri, { text: "watched" }),
  );
  mcp.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { mimeType: "application/json" },
    (uri, { id }) =>
      shown(uri, {
        mimeType: "application/json",
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
      }),
  );
  const prompt = mcp.registerPrompt.bind(mcp) as (name: string, config: object, make: (args: any) => object) => void;
  const said = (...contents: object[]) => ({ messages: contents.map((content) => ({ role: "user", content })) });
  const strings = (...names: string[]) =>
    fromJsonSchema({
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: "string", description: name }])),
      required: names,
    });
  prompt("test_simple_prompt", { description: "simple" }, () => said(text("This is a simple prompt for testing.")));
  prompt(
    "test_prompt_with_arguments",
    { description: "arguments", argsSchema: strings("arg1", "arg2") },
    ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  prompt(
    "test_prompt_with_embedded_resource",
    { description: "resource", argsSchema: strings("resourceUri") },
    ({ resourceUri }) =>
      said(
        {
          type: "resource",
          resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        },
        text("Please process the embedded resource above."),
      ),
  );
  prompt("test_prompt_with_image", { description: "image" }, () =>
    said(image, text("Please analyze the image above.")),
  );
  mcp.server.setRequestHandler("completion/complete", () => ({ completion: { values: ["test"], total: 1 } }));
  return mcp.server;
}
