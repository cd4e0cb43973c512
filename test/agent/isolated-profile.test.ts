import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { ExportState, OpenTab } from "../../src/contract/index.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { request, World } from "../engine/world.ts";
import { drive } from "../lib/drive.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";

setDefaultTimeout(60_000); // real Chromiums start here

let site: StateSite;
beforeAll(() => {
  site = serveStateSite();
});
afterAll(() => site[Symbol.asyncDispose]());

test("a profile saved while an isolated tab is open holds nothing of that tab", async () => {
  await using world = new World();
  world.driver.guest = "agent";
  const profiles = new Profiles({ config: world.config, store: world.store, log: silentLog });
  await world.engine.create(request("demo"));
  const guest = world.engine.guest("demo");
  await drive(guest).navigate(`${site.origin}/set-cookie?cookie=login=alice`);
  await drive(guest).evaluate("localStorage.token = 'alice'; 0");
  const url = `${site.other}/set-cookie?cookie=other=bob`;
  const { tab } = await guest.openTab(v.parse(OpenTab, { url, isolated: true }));
  await drive(guest).evaluate("localStorage.token = 'bob'; 0", { tab });
  expect((await guest.state.export(v.parse(ExportState, { tab }))).cookies).toMatchObject([{ value: "bob" }]);

  const saved = await profiles.save({ name: "alice", replace: false }, guest);
  expect(saved).toMatchObject({ cookies: 1, origins: 1 });
  expect(await drive(guest).evaluate("document.cookie", { tab })).toBe("other=bob");

  await world.engine.create(request("one", { profile: "alice" }));
  const restored = await world.engine.guest("one").state.export(v.parse(ExportState, {}));
  expect(restored.cookies).toMatchObject([{ name: "login", value: "alice" }]);
  expect(restored.origins).toEqual([{ origin: site.origin, localStorage: [{ name: "token", value: "alice" }] }]);
});
