import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS, INITIALIZE, newKey, post } from "./world.ts";

/** What the audit and the log tell of calls that come by MCP. */

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const notedOf = async (name: string) => {
  const { items } = await (await server.call(`/api/v1/audit?key=${name}`)).json();
  return items.map(({ path, vm, status, error, method }: Record<string, unknown>) => ({
    path,
    vm,
    status,
    error,
    method,
  }));
};
const noted = (tool: string, vm: string | null, status = 200, error: string | null = null) => ({
  path: `/mcp/tools/${tool}`,
  vm,
  status,
  error,
  method: "POST",
});

test.each(ERAS)("a call of era %s is told with what became of it", async (era) => {
  server.engine.add(`watched-${era}`);
  const vm = `watched-${era}`;
  const name = `noted-${era}`;
  const key = newKey(server, { name });
  await using mcp = await connectClient(`${server.url}/mcp`, era, { key });
  for (const [tool, args] of [
    ["vm_list", {}],
    ["vm_pause", { vm }],
    ["vm_delete", { vm }], // asks first: nothing is done
    ["vm_delete", { vm: "nobody", confirm: true }],
    ["vm_delete", { vm: "NO NAME\n", confirm: true }],
    ["vm_delete", { vm, confirm: true }],
    ["vm_nonsense", {}],
  ] as const)
    await mcp.call(tool, args);
  expect(await notedOf(name)).toEqual([
    noted("vm_pause", vm),
    noted("vm_delete", "nobody", 404, "vm_not_found"),
    noted("vm_delete", null, 404, "vm_not_found"),
    noted("vm_delete", vm),
    noted("vm_nonsense", null, 404, "not_found"),
  ]);
});

test("each call of a batch is told of, and what a key may not do", async () => {
  server.engine.add("batched");
  const key = newKey(server, { name: "reading", scope: "read" });
  const headers = { authorization: `Bearer ${key}` };
  const old = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: "2025-03-26" } };
  const opened = await post(server, old, headers);
  const id = opened.headers.get("mcp-session-id") ?? "";
  const call = (at: number, name: string) => ({
    jsonrpc: "2.0",
    id: at,
    method: "tools/call",
    params: { name, arguments: { vm: "batched" } },
  });
  const both = await post(server, [call(1, "vm_pause"), call(2, "vm_get"), call(3, "vm_stop")], {
    ...headers,
    "mcp-session-id": id,
  });
  await both.text();
  expect(await notedOf("reading")).toEqual([
    noted("vm_pause", "batched", 404, "not_found"),
    noted("vm_stop", "batched", 404, "not_found"),
  ]);
});

test("a bug is logged once, under the reference its caller is given; a fault of the caller's is not", async () => {
  await using mcp = await connectClient(`${server.url}/mcp`, "auto");
  server.engine.add("faulty");
  const pause = server.engine.pause;
  server.engine.pause = () => Promise.reject(new TypeError("a bug of ours"));
  const from = server.lines.length;
  const said = await mcp.call("vm_pause", { vm: "faulty" });
  server.engine.pause = pause;
  const errors = () =>
    server.lines
      .slice(from)
      .filter((line) => ["error", "warn"].includes((JSON.parse(line) as { level: string }).level));
  expect(said.text).toContain("Error (internal)");
  expect(said.text).not.toContain("a bug of ours");
  expect(errors()).toHaveLength(1);
  expect(errors()[0]).toContain(/ref (\w+)/.exec(said.text)?.[1] ?? "-");
  await mcp.call("vm_pause", { vm: "nobody" });
  await mcp.call("vm_pause", {});
  expect((await post(server, "{nonsense")).status).toBe(400);
  expect((await post(server, [INITIALIZE])).status).toBe(400);
  expect(errors()).toHaveLength(1);
});
