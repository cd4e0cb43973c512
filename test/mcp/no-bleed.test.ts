import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { Guest } from "../../src/guest/guest.ts";
import { startTestServer } from "../server/harness.ts";
import { connectClient, newKey } from "./world.ts";

setDefaultTimeout(60_000);
const CLIENTS = 8;
const CALLS = 125;

const agents: { stop(force: boolean): unknown }[] = [];
afterAll(() => agents.forEach((agent) => agent.stop(true)));

/** A guest that says which VM it is, and on which tab it was asked. Each answer takes another time. */
function guestThatSays(name: string): Guest {
  let asked = 0;
  const agent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/browser/tabs" && request.method === "GET")
        return Response.json({ items: [{ id: `${name}-first`, url: "about:blank", title: "", active: true }] });
      const body = (await request.json()) as { tab?: string; expression?: string };
      if (pathname === "/v1/browser/tabs")
        return Response.json({ tab: `${name}-${crypto.randomUUID().slice(0, 8)}`, context: null, navigated: null });
      if (pathname !== "/v1/browser/evaluate") return Response.json({ all: [], tabs: {} });
      for (let turn = asked++ % 5; turn > 0; turn--) await new Promise((next) => setImmediate(next));
      const value = `${name} ${body.tab} ${body.expression}`;
      return Response.json({ tab: body.tab, type: "string", value, description: null });
    },
  });
  agents.push(agent);
  return new Guest(`http://127.0.0.1:${agent.port}`, "token");
}

test(`${CLIENTS} clients, ${CALLS} calls each, on ${CLIENTS} VMs: each answer is from the caller's VM and tab`, async () => {
  await using server = startTestServer();
  const names = Array.from({ length: CLIENTS }, (_, at) => `vm-${at}`);
  for (const name of names) {
    server.engine.add(name);
    server.engine.guests.set(name, guestThatSays(name));
  }
  const seen = new Set<string>();
  let calls = 0;
  await Promise.all(
    names.map(async (name, at) => {
      const key = newKey(server, { name: `key-${at}`, restriction: { vms: [name, "vm-0"], labels: {} } });
      const path = at % 2 ? `/mcp/vms/${name}` : "/mcp";
      await using mcp = await connectClient(server.url + path, at % 3 ? "auto" : "legacy", { key });
      const tabs = new Set<string>();
      for (let batch = 0; batch < CALLS / 5; batch++)
        await Promise.all(
          Array.from({ length: 5 }, async (_, within) => {
            const mark = `${name}:${batch}:${within}`;
            // Half of them also work on the first VM, where all meet.
            const onFirst = at % 2 === 0 && within === 4;
            const args = at % 2 ? {} : { vm: onFirst ? "vm-0" : name };
            const { text, isError } = await mcp.call("browser_evaluate", { ...args, function: mark });
            expect(isError, text).toBe(false);
            const [said = "", tab = "", asked] = (JSON.parse(text.split("\n")[2] ?? "") as string).split(" ");
            expect(asked).toBe(mark);
            expect(said).toBe(onFirst ? "vm-0" : name);
            expect(tab).toStartWith(said);
            if (said === "vm-0") tabs.add(tab);
            calls++;
          }),
        );
      for (const tab of tabs) {
        expect(seen.has(tab), `${tab} is another client's`).toBe(false);
        seen.add(tab);
      }
      if (at % 2 === 0) expect(tabs.size).toBe(1);
    }),
  );
  expect(calls).toBe(CLIENTS * CALLS);
});
