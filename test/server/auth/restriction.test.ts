import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { EventList, SystemStatus, VmList } from "../../../src/contract/index.ts";
import { matchesPattern, viewOf } from "../../../src/server/auth/view.ts";
import { ROUTE_SCOPES } from "../../../src/server/auth/scopes.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { BROWSER_BODIES } from "../browser-bodies.ts";
import { withKey } from "./client.ts";

describe("patterns", () => {
  const table: [pattern: string, name: string, expected: boolean][] = [
    ["ci", "ci", true],
    ["ci", "ci2", false],
    ["ci", "aci", false],
    ["ci-*", "ci-1", true],
    ["ci-*", "ci-", true],
    ["ci-*", "ci", false],
    ["*", "anything", true],
    ["*-web", "a-web", true],
    ["*-web", "a-web2", false],
    ["a*b*c", "a1b2c", true],
    ["a*b*c", "abcabc", true],
    ["a*b*c", "acb", false],
    ["**", "x", true],
    ["a.c", "abc", false],
  ];
  for (const [pattern, name, expected] of table)
    test(`${pattern} and ${name}: ${expected}`, () => expect(matchesPattern(name, pattern)).toBe(expected));

  test("mean what the same expression means", () => {
    const text = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
    fc.assert(
      fc.property(text("ab*"), text("ab"), (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*")}$`);
        return matchesPattern(name, pattern) === expression.test(name);
      }),
      { numRuns: 2000 },
    );
  });

  test("cannot be made slow", () => {
    expect(matchesPattern("a".repeat(63), `${"*a".repeat(31)}b`)).toBe(false);
    expect(matchesPattern("a".repeat(100_000), `${"a*".repeat(30)}b`)).toBe(false);
  });

  test("labels: all must be there, and nothing inherited counts", () => {
    const view = viewOf({ vms: [], labels: { team: "qa", tier: "1" } });
    expect(view?.allows({ name: "x", labels: { team: "qa", tier: "1", more: "y" } })).toBe(true);
    expect(view?.allows({ name: "x", labels: { team: "qa" } })).toBe(false);
    expect(viewOf({ vms: [], labels: { constructor: "x" } })?.allows({ name: "x", labels: {} })).toBe(false);
    expect(viewOf({ vms: [], labels: {} })).toBeNull();
  });
});

/** ci-1 (qa), ci-2 (web, stopped), prod (qa), other (web); the key sees ci-* with team=qa: one of them. */
let server: TestServer;
let ids: Record<string, string>;
let key: ReturnType<typeof withKey>;
beforeAll(async () => {
  server = startTestServer();
  const team = (name: string) => ({ labels: { team: name } });
  ids = Object.fromEntries(
    [
      server.engine.add("ci-1", team("qa")),
      server.engine.add("ci-2", { ...team("web"), status: "stopped" }),
      server.engine.add("prod", team("qa")),
      server.engine.add("other", team("web")),
    ].map(({ name, id }) => [name, id]),
  );
  key = withKey(server, { restriction: { vms: ["ci-*"], labels: { team: "qa" } } });
});
afterAll(() => server[Symbol.asyncDispose]());

const BROWSER_BODIES_JSON = Object.fromEntries(
  Object.entries(BROWSER_BODIES).map(([name, body]) => [name, JSON.stringify(body)]),
);

describe("a restricted key", () => {
  test("lists its VMs only, totals too, and pages through them", async () => {
    const list = await key.json<VmList>("/api/v1/vms");
    expect(list).toMatchObject({ total: 1, items: [{ name: "ci-1" }] });
    expect(await key.json<VmList>("/api/v1/vms?status=stopped")).toEqual({ items: [], total: 0 });
    const wide = withKey(server, { restriction: { labels: { team: "qa" } } });
    const second = await wide.json<VmList>("/api/v1/vms?limit=1&offset=1");
    expect(second).toMatchObject({ total: 2, items: [{ name: "prod" }] });
  });

  const hidden = ["prod", "other", "ci-2"];
  for (const route of Object.keys(ROUTE_SCOPES).filter((path) => path.includes("/vms/:name"))) {
    const [method = "", path = ""] = route.split(" ");
    const bodies: Record<string, string> = {
      ...(path.includes("/browser/") ? BROWSER_BODIES_JSON : {}),
      ...(method === "PUT" ? { egress: "{}", proxy: '{"url":"http://127.0.0.1:1"}' } : {}),
      ...(path.startsWith("/agui/") ? { ":name": '{"threadId":"t","runId":"r","messages":[]}' } : {}),
      ...(method === "POST" ? { control: '{"action":"return"}' } : {}),
      ...(method === "PATCH" ? { ":name": '{"cpu_cores":1}' } : {}),
    };
    test(`${route}: another's VM is not there, in the words of one that is not`, async () => {
      const before = server.engine.calls.length;
      const ask = async (name: string) => {
        const body = bodies[path.split("/").at(-1)!];
        const reply = await key.call(path.replace(":name", name).replace(":id", "T1"), {
          method,
          ...(body ? { body } : {}),
        });
        return { status: reply.status, text: (await reply.text()).replaceAll(name, "NAME") };
      };
      const nobody = await ask("nobody");
      // MCP says so in its own protocol, once there is a session and a tool is called (test/mcp).
      if (!path.startsWith("/mcp/")) {
        expect(nobody).toMatchObject({ status: 404 });
        expect(nobody.text).toContain("vm_not_found");
      }
      for (const name of [...hidden, ids.prod!]) expect(await ask(name)).toEqual(nobody);
      expect(server.engine.calls).toHaveLength(before);
    });
  }

  test("reaches its own, by name and by id", async () => {
    expect(await key.code("/api/v1/vms/ci-1")).toBe(200);
    expect(await key.code(`/api/v1/vms/${ids["ci-1"]}`)).toBe(200);
    expect(await key.code("/api/v1/vms/ci-1/stop", { method: "POST" })).toBe(200);
  });

  test.each([
    { body: { name: "ci-9", labels: { team: "qa" } }, code: 201 },
    { body: { name: "ci-8", labels: { team: "qa", more: "x" } }, code: 201 },
    { body: { name: "ci-7", labels: { team: "web" } }, code: "forbidden" },
    { body: { name: "ci-6" }, code: "forbidden" },
    { body: { name: "web-1", labels: { team: "qa" } }, code: "forbidden" },
    { body: { name: "prod", labels: { team: "qa" } }, code: "forbidden" },
  ])("creating $body ends with $code", async ({ body, code }) => {
    expect(await key.code("/api/v1/vms", { method: "POST", body: JSON.stringify(body) })).toBe(code);
    expect(server.engine.rows.has(body.name)).toBe(code === 201 || body.name === "prod");
  });

  test("is told of its events only, of deleted VMs too; pages go on where they ended", async () => {
    for (const name of ["ci-9", "ci-8"]) await server.engine.delete(name);
    await server.engine.delete("other");
    const names = new Set<string>();
    let after: number | null = 0;
    while (after !== null) {
      const page: EventList = await key.json(`/api/v1/events?limit=2&after=${after}`);
      for (const event of page.items) names.add(`${event.type} ${event.vm_name}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      after = page.next;
    }
    expect([...names].toSorted()).toEqual([
      "VM_CREATED ci-1",
      "VM_CREATED ci-8",
      "VM_CREATED ci-9",
      "VM_DELETED ci-8",
      "VM_DELETED ci-9",
    ]);
    expect(await key.json<EventList>("/api/v1/events?vm=other")).toMatchObject({ items: [] });
    expect(await key.json<EventList>(`/api/v1/events?vm=${ids.prod}`)).toMatchObject({ items: [] });
  });

  test("its stream tells of its VMs only", async () => {
    const reply = await key.call("/api/v1/events/vms?after=0");
    const last = server.engine.add("ci-last", { labels: { team: "qa" } });
    server.engine.emit("VM_RUNNING", server.engine.get("prod"));
    server.engine.emit("VM_RUNNING", last);
    let text = "";
    const decoder = new TextDecoder();
    for await (const piece of reply.body!) {
      text += decoder.decode(piece, { stream: true });
      if (text.includes('"VM_RUNNING"')) break;
    }
    const seen = [...text.matchAll(/"vm_name":"([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(seen)).toEqual(new Set(["ci-1", "ci-8", "ci-9", "ci-last"]));
    await server.engine.delete("ci-last");
  });

  test("the status counts its VMs; the metrics, which tell of all, are closed", async () => {
    const status = await key.json<SystemStatus>("/api/v1/system/status");
    expect(status.vms).toEqual({ total: 1, by_status: { running: 1 } });
    expect(status.network.leases_used).toBe(1);
    expect(status.host.memory_committed_mb).toBe(1024);
    expect(await key.code("/metrics")).toBe("forbidden");
  });
});

test("names only: events of deleted VMs are told by the name", async () => {
  const named = withKey(server, { restriction: { vms: ["oth*"] } });
  const page = await named.json<EventList>("/api/v1/events?limit=1000");
  expect(page.items.map(({ type, vm_name }) => `${type} ${vm_name}`)).toEqual(["VM_CREATED other", "VM_DELETED other"]);
});
