import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HypeError } from "../../../src/contract/index.ts";
import { holds, ROUTE_SCOPES, scopeOf } from "../../../src/server/auth/scopes.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { withKey } from "./client.ts";

let server: TestServer;
beforeAll(() => {
  server = startTestServer();
  server.engine.add("demo");
  const nobody = () => {
    throw new HypeError("guest_unreachable", "nobody there");
  };
  server.engine.guests.set("demo", new Proxy({}, { get: () => nobody }) as never);
});
afterAll(() => server[Symbol.asyncDispose]());

const routes = () => server.app.routes.map(({ method, path }) => `${method} ${path}`);

test("every route of the app declares its scope, and every declared route is there", () => {
  expect(routes().toSorted()).toEqual(Object.keys(ROUTE_SCOPES).toSorted());
});

test("whatever names a VM calls it :name, which is what a restriction is held against", () => {
  const naming = routes().filter((route) => /\/vms\/:/.test(route));
  expect(naming.length).toBeGreaterThan(20);
  expect(naming.filter((route) => !/\/vms\/:name(\/|$)/.test(route))).toEqual([]);
  expect(
    routes().filter(
      (route) => route.includes(":name") && !/ \/(api\/v1\/vms|live|mcp\/vms|agui\/vms)\/:name(\/|$)/.test(route),
    ),
  ).toEqual([]);
});

test("the table is met by paths as they are called", () => {
  expect(scopeOf("GET", "/api/v1/vms")).toBe("read");
  expect(scopeOf("HEAD", "/api/v1/vms/")).toBe("read");
  expect(scopeOf("POST", "/api/v1/vms")).toBe("operate");
  expect(scopeOf("DELETE", "/api/v1/keys/ci")).toBe("admin");
  for (const path of ["/api/v1/vms/x/y/z", "//api/v1/vms", "/api/v1/vms%2Fx", "/API/v1/vms", "/api/v1/vms/demo/%63dp"])
    expect(scopeOf("GET", path), path).toBeNull();
  expect(scopeOf("PATCH", "/api/v1/vms")).toBeNull();
});

describe("each scope on each route", () => {
  const concrete = (path: string) =>
    path
      .replace(":name", "demo")
      .replace(/:id|:key|:link/, "nothing-there")
      .replace("/api/v1/events/vms", "/api/v1/events");
  for (const [route, needed] of Object.entries(ROUTE_SCOPES)) {
    const [method = "", path = ""] = route.split(" ");
    for (const scope of ["read", "operate", "admin"] as const)
      test(`${route} with ${scope}`, async () => {
        const key = withKey(server, { scope });
        const code = await key.code(concrete(path), { method });
        if (needed === null || holds(scope, needed)) expect(code).not.toBeOneOf(["forbidden", "unauthorized"]);
        else expect(code).toBe("forbidden");
      });
  }
});

test("what a refused call asked for is not done", async () => {
  const before = server.engine.calls.length;
  const key = withKey(server, { scope: "read" });
  const created = server.keys.list().length;
  await key.code("/api/v1/vms/demo/stop", { method: "POST" });
  await key.code("/api/v1/vms", { method: "POST", body: '{"name":"x"}' });
  await key.code("/api/v1/keys", { method: "POST", body: '{"name":"x","scope":"admin"}' });
  expect(server.engine.calls).toHaveLength(before);
  expect(server.engine.rows.has("x")).toBe(false);
  expect(server.keys.list()).toHaveLength(created);
});

test("a route that is not there is not there; a wrong method says which are right", async () => {
  const key = withKey(server, { scope: "read" });
  expect(await key.code("/api/v1/nothing")).toBe("not_found");
  expect(await key.code("/api/v1/vms/demo", { method: "PUT" })).toBe("method_not_allowed");
});

test("no path written otherwise passes for one of a lesser scope", async () => {
  const key = withKey(server, { scope: "read" });
  for (const path of [
    "/api/v1/vms/demo/browser/%74abs",
    "/api/v1//vms/demo/browser/tabs",
    "/api/v1/vms/demo/./browser/tabs",
    "/api/v1/vms/demo/logs/../browser/tabs",
    "/api/v1/images/..%2Fkeys",
    "/api/v1/keys?x=/api/v1/vms",
    "/api/v1/Keys",
    "/api/v1/keys//",
  ])
    expect(await key.code(path), path).toBeOneOf(["forbidden", "not_found", "invalid_request", "image_not_found"]);
});
