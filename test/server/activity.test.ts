import { expect, test } from "bun:test";
import type { Activity } from "../../src/contract/index.ts";
import { withKey } from "./auth/client.ts";
import { startTestServer } from "./harness.ts";

test("activity: which page is shown is told to those who may look into browsers; of VMs the key sees", async () => {
  await using server = startTestServer();
  server.engine.add("ci-1");
  server.engine.add("prod");
  server.engine.add("idle", { status: "stopped" });
  server.engine.pages.set("ci-1", { url: "https://mail.example/", title: "Inbox", tabs: 2 });
  const seenBy = async (key: Parameters<typeof withKey>[1]) => {
    const { items } = await withKey(server, key).json<Activity>("/api/v1/system/activity");
    return items.map(({ name, page }) => [name, page?.title ?? null]);
  };
  expect(await seenBy({ scope: "operate" })).toEqual([["ci-1", "Inbox"], ["prod", null]]); // prettier-ignore
  expect(await seenBy({ scope: "read" })).toEqual([["ci-1", null], ["prod", null]]); // prettier-ignore
  expect(await seenBy({ scope: "operate", restriction: { vms: ["ci-*"] } })).toEqual([["ci-1", "Inbox"]]);
});
