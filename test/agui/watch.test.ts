import { describe, expect, test } from "bun:test";
import { startTestServer } from "../server/harness.ts";
import { input, post, Reader, says, verified, WIRES } from "./lib.ts";

const isCustom = (name: string) => (event: { type: string; name?: unknown }) =>
  event.type === "CUSTOM" && event.name === `overhyped.${name}`;

for (const wire of ["sse", "protobuf"] as const)
  test(`a watch tells every event and keeps the state equal, until the server ends (${wire})`, async () => {
    await using server = startTestServer();
    server.engine.add("old");
    const reader = new Reader(server, { wire });
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    const watching = reader.say("/watch");
    await started;
    const created = reader.next(isCustom("vm.created"));
    const vm = server.engine.add("a~b/c" as string); // no name the engine gives, but a pointer must hold it
    await created;
    expect(reader.state.vms["a~b/c"].status).toBe("running");
    const crashed = reader.next(isCustom("vm.crashed"));
    vm.status = "crashed";
    vm.status_reason = "the kernel panicked";
    server.engine.emit("VM_CRASHED", vm);
    await crashed;
    expect(reader.state.vms["a~b/c"]).toMatchObject({ status: "crashed", status_reason: "the kernel panicked" });
    expect(reader.state.node.vms_by_status).toEqual({ running: 1, crashed: 1 });
    const taken = reader.next(isCustom("vm.control_taken"));
    server.engine.takeControl("old", { link: null, label: "Ada" });
    await taken;
    expect(reader.state.vms.old.control).toMatchObject({ label: "Ada" });
    const deleted = reader.next(isCustom("vm.deleted"));
    await server.engine.delete("old");
    server.engine.emit("VM_STOPPED", { ...vm, name: "never-there" }); // of a VM that is gone
    await deleted;
    const kept = reader.next(isCustom("vm.artifact_kept"));
    await server.artifacts.keep({ kind: "other", name: "a", contentType: "text/plain", vm }, Buffer.from("a"));
    expect(await kept).toMatchObject({ value: { vm_name: "a~b/c", data: { kind: "other", size_bytes: 1 } } });
    server.shutDown.abort();
    await watching;
    expect(Object.keys(reader.state.vms)).toEqual(["a~b/c"]);
    expect(reader.finished.outcome).toEqual({ type: "cancelled" });
  });

test("a watch of one VM tells of no other", async () => {
  await using server = startTestServer();
  server.engine.add("web");
  for (const [reader, start] of [
    [new Reader(server), (it: Reader) => it.say("/watch web")],
    [new Reader(server, { vm: "web" }), (it: Reader) => it.run({ forwardedProps: { watch: true } })],
  ] as const) {
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    const abort = new AbortController();
    void start(reader).catch(() => {});
    await started;
    const told = reader.next(({ type }) => type === "CUSTOM");
    server.engine.add(`other-${crypto.randomUUID()}`);
    server.engine.emit("VM_BROWSER_DIED", server.engine.get("web"));
    expect(await told).toMatchObject({ name: "overhyped.vm.browser_died" });
    expect(Object.keys(reader.state.vms)).toEqual(["web"]);
    abort.abort();
    reader.agent.abortRun();
  }
});

test("it beats while nothing happens", async () => {
  await using server = startTestServer({ context: { heartbeatMs: 5 } });
  const reply = await post(server, input(says("/watch")));
  const reader = reply.body!.getReader();
  let text = "";
  while (text.split(": heartbeat\n\n").length < 4) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  expect(text).toContain('"STATE_SNAPSHOT"');
});

test("a watch of what is not there is refused; a revoked key ends it with the reason", async () => {
  await using server = startTestServer();
  expect((await post(server, input(says("/watch nobody")))).status).toBe(404);
  const made = server.keys.create({
    name: "guest",
    scope: "read",
    restriction: null,
    expires_at: null,
    rate_per_minute: null,
  });
  const reply = await post(server, input(says("/watch")), { headers: { authorization: `Bearer ${made.key}` } });
  server.keys.revoke("guest");
  const events = await verified(await reply.text());
  expect(events.at(-1)).toMatchObject({ type: "RUN_ERROR", code: "unauthorized" });
});

test("a key sees its own VMs only, and no page without the right to drive", async () => {
  await using server = startTestServer();
  server.engine.add("mine");
  server.engine.add("secret");
  server.engine.activity = () => ({
    at: "2026-01-01T00:00:00.000Z",
    items: [
      { id: "1", name: "mine", cpu_percent: 0, memory_mb: 1, page: { url: "https://mail", title: "Mail", tabs: 1 } },
    ],
  });
  const restriction = { vms: ["mine"], labels: {} };
  const rest = { restriction, expires_at: null, rate_per_minute: null };
  for (const [scope, url] of [
    ["read", null],
    ["operate", "https://mail"],
  ] as const) {
    const { key } = server.keys.create({ name: scope, scope, ...rest });
    const reader = new Reader(server, { key });
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    void reader.say("/watch").catch(() => {});
    await started;
    const told = reader.next(({ type }) => type === "CUSTOM");
    server.engine.emit("VM_STOPPED", server.engine.get("secret"));
    server.engine.emit("VM_BROWSER_READY", server.engine.get("mine"));
    expect(await told).toMatchObject({ value: { vm_name: "mine" } });
    expect(Object.keys(reader.state.vms)).toEqual(["mine"]);
    expect(reader.state.vms.mine.url).toBe(url);
    reader.agent.abortRun();
    expect(
      (
        await post(server, input(says("help")), {
          path: "/agui/vms/secret",
          headers: { authorization: `Bearer ${key}` },
        })
      ).status,
    ).toBe(404);
    const read = await new Reader(server, { key }).say("/vms get secret");
    expect(read.finished.result.operations).toMatchObject([{ ok: false, error: { code: "vm_not_found" } }]);
  }
});

describe.each(WIRES)("pages, of which no event tells (%s)", (wire) => {
  const page = (url: string, title: string) => ({ url, title, tabs: 1 });

  test("are looked at while a watch is open, and told where they are others", async () => {
    await using server = startTestServer();
    for (const name of ["web", "other"]) server.engine.add(name);
    const { pages } = server.engine;
    pages.set("web", page("https://one.example/", "One"));
    const reader = new Reader(server, { wire });
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    const watching = reader.say("/watch");
    expect(await started).toMatchObject({ snapshot: { vms: { web: { url: "https://one.example/", title: "One" } } } });
    const delta = () => reader.next(({ type }) => type === "STATE_DELTA");
    let told = delta();
    pages.set("web", page("https://two.example/", "Two"));
    expect(await told).toMatchObject({
      delta: [
        { op: "replace", path: "/vms/web/url", value: "https://two.example/" },
        { op: "replace", path: "/vms/web/title", value: "Two" },
      ],
    });
    told = delta();
    pages.set("web", page("https://two.example/", "Two, changed"));
    expect(await told).toMatchObject({ delta: [{ path: "/vms/web/title", value: "Two, changed" }] });
    told = delta();
    pages.delete("web");
    expect(await told).toMatchObject({ delta: [{ value: null }, { value: null }] });
    expect(reader.of("CUSTOM")).toEqual([]); // nothing happened to a VM
    server.shutDown.abort();
    await watching;
    expect(reader.of("STATE_DELTA")).toHaveLength(3); // what did not change was not told
    expect(reader.state.vms.web).toMatchObject({ url: null, title: null });
  });

  test("of others are not told to a watch of one VM", async () => {
    await using server = startTestServer();
    for (const name of ["web", "other"]) server.engine.add(name);
    const reader = new Reader(server, { wire });
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    const watching = reader.say("/watch web");
    await started;
    const told = reader.next(({ type }) => type === "STATE_DELTA");
    server.engine.pages.set("other", page("https://secret.example/", "Secret"));
    server.engine.pages.set("web", page("https://web.example/", "Web"));
    await told;
    server.shutDown.abort();
    await watching;
    expect(JSON.stringify(reader.events)).not.toContain("secret");
    expect(reader.state.vms.web.url).toBe("https://web.example/");
  });

  test("nobody looks any more once the watch is over", async () => {
    await using server = startTestServer();
    server.engine.add("web");
    let looks = 0;
    const { activity } = server.engine;
    let looked = Promise.withResolvers<void>();
    server.engine.activity = () => {
      looks++;
      looked.resolve();
      looked = Promise.withResolvers();
      return activity();
    };
    const reader = new Reader(server, { wire });
    const started = reader.next(({ type }) => type === "STATE_SNAPSHOT");
    const watching = reader.say("/watch").catch(() => {});
    await started;
    await looked.promise; // by its timer
    reader.agent.abortRun();
    await watching;
    const other = new Reader(server, { wire });
    const opened = other.next(({ type }) => type === "STATE_SNAPSHOT");
    const second = other.say("/watch");
    await opened;
    const before = looks;
    await looked.promise;
    await looked.promise;
    expect(looks).toBe(before + 2); // of the second alone: each of its timer's is one
    server.shutDown.abort();
    await second;
  });
});
