import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { paths } from "../../src/config/paths.ts";
import { ClearState, ImportState } from "../../src/contract/index.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { request, World } from "../engine/world.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";

setDefaultTimeout(60_000); // real Chromiums start here

let site: StateSite;
beforeAll(() => {
  site = serveStateSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const SECRET = "s3cr3t-c00kie-0f-alice";
const profilesOf = (world: World) => new Profiles({ config: world.config, store: world.store, log: silentLog });

/** A VM that is logged in: cookie, local storage and a database. */
async function logIn(world: World, name: string) {
  await world.engine.create(request(name));
  const guest = world.engine.guest(name);
  await drive(guest).navigate(`${site.origin}/set-cookie?cookie=${encodeURIComponent(`login=${SECRET}; HttpOnly`)}`);
  await drive(guest).evaluate(`localStorage.token = ${JSON.stringify(SECRET)}; new Promise((resolve) => {
    const request = indexedDB.open("db", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("s").put({ when: new Date(7) }, "k");
    request.onsuccess = () => { request.result.close(); resolve(0); };
  })`);
  return guest;
}

const whoIsIt = async (world: World, name: string) => {
  const browser = drive(world.engine.guest(name));
  await browser.navigate(`${site.origin}/echo`);
  const cookie = await browser.evaluate("JSON.parse(document.body.innerText).cookie ?? null");
  return { cookie, token: await browser.evaluate("localStorage.token ?? null") };
};

describe("over the real agent and a real Chromium", () => {
  test("saved of one VM, given to two at once, which do not disturb each other; again after a restart", async () => {
    await using world = new World();
    world.driver.guest = "agent";
    const profiles = profilesOf(world);
    const saved = await profiles.save({ name: "alice", replace: false }, await logIn(world, "demo"));
    expect(saved).toMatchObject({ name: "alice", cookies: 1, origins: 1 });
    await world.engine.delete("demo");

    const made = await Promise.all([
      world.engine.create(request("one", { profile: "alice" })),
      world.engine.create(request("two", { profile: "alice" })),
    ]);
    expect(made).toMatchObject([{ status: "running", profile: "alice" }, { status: "running" }]);
    expect(world.types("one")).toContain("VM_BOOT_PROGRESS profile");
    const alice = { cookie: `login=${SECRET}`, token: SECRET };
    expect(await whoIsIt(world, "one")).toEqual(alice);
    await world.engine.guest("one").state.clear(v.parse(ClearState, {}));
    expect(await whoIsIt(world, "one")).toEqual({ cookie: null, token: null });
    expect(await whoIsIt(world, "two")).toEqual(alice);

    await world.engine.restart("one");
    expect(await whoIsIt(world, "one")).toEqual(alice);
    expect(world.engine.get("one")).toMatchObject({ generation: 2, profile: "alice" });

    profiles.delete("alice");
    await world.engine.stop("one", { force: true });
    expect(await refused("profile_not_found", world.engine.start("one"))).toContain("alice");
    expect(world.engine.get("one").status).toBe("stopped");
  });

  test("what Chromium does not take leaves no VM that runs", async () => {
    await using world = new World();
    world.driver.guest = "agent";
    const cookie = { name: "odd", value: SECRET, domain: "in.test", secure: true, partitionKey: "no site" };
    const state = v.parse(ImportState, { state: { cookies: [cookie] } }).state;
    profilesOf(world).import("odd", { state, replace: false });
    const message = await refused("state_incomplete", world.engine.create(request("work", { profile: "odd" })));
    expect(message).toContain("work: its browser could not be given the profile odd");
    expect(message).not.toContain(SECRET);
    expect(world.engine.get("work")).toMatchObject({
      status: "crashed",
      status_reason: expect.stringContaining('"odd" of in.test/'),
    });
    await refused(
      "vm_not_running",
      Promise.resolve().then(() => world.engine.guest("work") as never),
    );
  });
});

describe("in the middle of being given", () => {
  const large = () => ({
    state: v.parse(ImportState, {
      state: {
        cookies: [{ name: "login", value: SECRET, domain: "localhost" }],
        origins: Array.from({ length: 8 }, (_, n) => ({
          origin: n === 7 ? site.origin : `https://site-${n}.test`,
          localStorage: [{ name: "token", value: SECRET }],
        })),
      },
    }).state,
    replace: false,
  });
  const alice = { cookie: `login=${SECRET}`, token: SECRET };
  /** Resolves when the browser is up and the profile is on its way into it. */
  const begun = async (world: World) => {
    for await (const { data } of world.engine.subscribe(0, AbortSignal.timeout(50_000)))
      if (data.phase === "profile") return;
  };

  test("the server dies: the next one gives it whole before the VM runs", async () => {
    await using first = new World();
    first.driver.guest = "agent";
    profilesOf(first).import("alice", large());
    const created = first.engine.create(request("work", { profile: "alice" })).catch(() => {});
    await begun(first);
    expect(first.engine.get("work").status).toBe("starting");
    first.die();
    await using second = await first.next();
    await second.event("VM_RUNNING", "work");
    expect(await whoIsIt(second, "work")).toEqual(alice);
    await created;
  });

  test("the VM is deleted: nothing is left", async () => {
    await using world = new World();
    world.driver.guest = "agent";
    profilesOf(world).import("alice", large());
    const created = refused("cancelled", world.engine.create(request("work", { profile: "alice" })));
    await begun(world);
    await world.engine.delete("work");
    await created;
    expect(world.leftovers()).toEqual([]);
    expect(world.types()).not.toContain("VM_RUNNING");
  });
});

describe("nothing is made", () => {
  test.each([
    ["of a profile that is not there", "profile_not_found", () => {}],
    ["with its key gone", "profile_unreadable", (world: World) => rmSync(paths.profilesKey(world.config))],
    [
      "with its file gone",
      "profile_unreadable",
      (world: World) => rmSync(paths.profiles(world.config), { recursive: true }),
    ],
    [
      "with another key",
      "profile_unreadable",
      (world: World) =>
        writeFileSync(paths.profilesKey(world.config), `${Buffer.alloc(32, 1).toString("base64url")}\n`),
    ],
  ] as const)("%s", async (_what, code, spoil) => {
    await using world = new World();
    if (code === "profile_unreadable") {
      profilesOf(world).import("alice", { state: { cookies: [], origins: [] }, replace: false });
      expect(statSync(paths.profilesKey(world.config)).mode & 0o777).toBe(0o600);
      const [file = ""] = readdirSync(paths.profiles(world.config));
      expect(statSync(join(paths.profiles(world.config), file)).mode & 0o777).toBe(0o600);
    }
    spoil(world);
    await refused(code, world.engine.create(request("work", { profile: "alice" })));
    expect(world.events()).toEqual([]);
    expect(world.leftovers()).toEqual([]);
  });
});
