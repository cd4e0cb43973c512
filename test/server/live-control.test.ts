import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { VmEvent } from "../../src/contract/index.ts";
import { type LiveAgent, startLiveAgent } from "../fake/live-agent.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";
import { openLive } from "./live-client.ts";

let server: TestServer;
let agent: LiveAgent;
const client = () => connect({ base: server.url, key: KEY });
const link = (body = {}) => client().live.createLink("demo", body);
const start = (options: Parameters<typeof startTestServer>[0] = {}) => {
  server = startTestServer(options);
  server.engine.add("demo");
  server.engine.guests.set("demo", agent.guest);
};
const types = () => server.engine.log.map(({ type }: VmEvent) => type).filter((type) => type.includes("CONTROL"));

beforeEach(() => {
  agent = startLiveAgent();
  start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

describe("control", () => {
  test("has one holder; another takes it only by force, and both are told", async () => {
    const [a, b] = [openLive((await link({ label: "anna" })).url), openLive((await link({ label: "bob" })).url)];
    await Promise.all([a.next("control"), b.next("control")]);
    a.send({ type: "take" });
    await a.next("control", ({ mine }) => mine === true);
    expect(await b.next("control", ({ control }) => control !== null)).toMatchObject({
      mine: false,
      control: { holder: "human", label: "anna" },
    });
    b.send({ type: "take" });
    expect(await b.next("error")).toMatchObject({ code: "control_held" });
    b.send({ type: "take", force: true });
    await b.next("control", ({ mine }) => mine === true);
    expect(
      await a.next("control", ({ control }) => (control as { label: string } | null)?.label === "bob"),
    ).toMatchObject({ mine: false });
    // What anna still held down is let go of.
    await agent.until(() => agent.commands.some(({ type }) => type === "release"));
    b.arrived.length = 0;
    b.send({ type: "return" });
    await b.next("control", ({ control }) => control === null);
    expect(types()).toEqual(["VM_CONTROL_TAKEN", "VM_CONTROL_TAKEN", "VM_CONTROL_RETURNED"]);
  });

  test("a page that comes back in time has it still; another window of the same link never had it", async () => {
    const { url } = await link();
    const page = openLive(url, { page: "mine" });
    await page.next("control");
    page.send({ type: "take" });
    await page.next("control", ({ mine }) => mine === true);
    const other = openLive(url, { page: "another" });
    expect(await other.next("control")).toMatchObject({ mine: false });
    page.socket.close();
    await page.closed;
    const again = openLive(url, { page: "mine" });
    expect(await again.next("control")).toMatchObject({ mine: true });
    expect(types()).toEqual(["VM_CONTROL_TAKEN"]);
  });

  test("a page that stays away loses it", async () => {
    await server[Symbol.asyncDispose]();
    start({ graceMs: 50 });
    const page = openLive((await link()).url);
    await page.next("control");
    page.send({ type: "take" });
    await page.next("control", ({ mine }) => mine === true);
    const returned = client().live.control("demo", { wait: "returned" });
    page.socket.close();
    expect(await returned).toEqual({ control: null });
    expect(types()).toEqual(["VM_CONTROL_TAKEN", "VM_CONTROL_RETURNED"]);
  });

  test("an automation asks for a person, who takes over without force and gives back; the automation waits for it", async () => {
    const page = openLive((await link()).url);
    await page.next("control");
    expect(await client().live.control("demo")).toEqual({ control: null });
    await client().live.setControl("demo", { action: "take", holder: "anna" });
    expect(await page.next("control", ({ control }) => control !== null)).toMatchObject({
      control: { link: null, label: "anna" },
      mine: false,
    });
    await expect(client().live.setControl("demo", { action: "take" })).rejects.toMatchObject({ code: "control_held" });
    const returned = client().live.control("demo", { wait: "returned" });
    page.send({ type: "take" });
    await page.next("control", ({ mine }) => mine === true);
    page.send({ type: "return" });
    expect(await returned).toEqual({ control: null });
  });

  test("waiting ends with its time, with its state, and with the VM", async () => {
    expect(await client().live.control("demo", { wait: "taken", timeout_seconds: 1 })).toEqual({ control: null });
    const taken = client().live.control("demo", { wait: "taken" });
    await client().live.setControl("demo", { action: "take" });
    expect((await taken).control).toMatchObject({ holder: "human" });
    const subscribed = Promise.withResolvers<void>();
    const { subscribe } = server.engine;
    server.engine.subscribe = (...args) => {
      subscribed.resolve();
      return subscribe.apply(server.engine, args);
    };
    const returned = client().live.control("demo", { wait: "returned" });
    await subscribed.promise;
    await server.engine.delete("demo");
    expect(await returned).toEqual({ control: null });
    await expect(client().live.control("demo", { wait: "returned" })).rejects.toMatchObject({ code: "vm_not_found" });
  });

  test.each([[{}], [{ action: "steal" }], [{ action: "return", force: true }], [{ action: "take", holder: "" }]])(
    "%j is refused",
    async (body) => {
      const reply = await server.call("/api/v1/vms/demo/control", { method: "POST", body: JSON.stringify(body) });
      expect(await reply.json()).toMatchObject({ code: "invalid_request" });
    },
  );
});
