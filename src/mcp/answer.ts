import type { CallToolResult, ContentBlock, Tool as ListedTool } from "@modelcontextprotocol/server";
import type { Tool, ToolResult } from "../tools/tool.ts";
import { inputSchema, outputSchema } from "../tools/schema.ts";

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

/** A tool as `tools/list` shows it. */
export function listedTool(tool: Tool, hasPresetVm: boolean): ListedTool {
  const output = outputSchema(tool);
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchema(tool, hasPresetVm) as ListedTool["inputSchema"],
    ...(output && { outputSchema: output as NonNullable<ListedTool["outputSchema"]> }),
    annotations: {
      readOnlyHint: tool.effect === "read",
      destructiveHint: tool.effect === "destroy",
      idempotentHint: tool.isIdempotent,
      openWorldHint: tool.isOpenWorld,
    },
  };
}

/** A result in MCP's content blocks. `structuredContent` is given where the tool promises it, and nowhere else. */
export function answer(
  tool: Tool | undefined,
  { text, structured, images = [], files = [], links = [] }: ToolResult,
): CallToolResult {
  const content: ContentBlock[] = [
    { type: "text", text },
    ...images.map(({ bytes, mimeType }) => ({ type: "image" as const, data: base64(bytes), mimeType })),
    ...files.map(({ uri, bytes, mimeType }) => ({
      type: "resource" as const,
      resource: { uri, mimeType, blob: base64(bytes) },
    })),
    ...links.map(({ uri, name, mimeType, description, bytes }) => ({
      type: "resource_link" as const,
      uri,
      name,
      mimeType,
      ...(description !== undefined && { description }),
      ...(bytes !== undefined && { size: bytes }),
    })),
  ];
  return { content, ...(tool?.output && structured && { structuredContent: structured }) };
}

/** What a model is to read and act on, never an error of the protocol. */
export const failed = (text: string): CallToolResult => ({ content: [{ type: "text", text }], isError: true });
