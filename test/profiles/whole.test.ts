import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { paths } from "../../src/config/paths.ts";
import { silentLog } from "../../src/log/log.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { request, World } from "../engine/world.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";

setDefaultTimeout(120_000); // real Chromiums start here

let site: StateSite;
beforeAll(() => {
  site = serveStateSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const SECRET = "s3cr3t-c00kie-0f-alice";
const profilesOf = (world: World) => new Profiles({ config: world.config, store: world.store, log: silentLog });
const setCookie = (cookie: string) => `${site.origin}/set-cookie?cookie=${encodeURIComponent(cookie)}`;

/** A VM whose browser keeps something of every sort. */
async function logIn(world: World, name: string) {
  await world.engine.create(request(name));
  const guest = world.engine.guest(name);
  const browser = drive(guest);
  await browser.navigate(setCookie(`login=${SECRET}; HttpOnly; Max-Age=9000`));
  await browser.navigate(setCookie("visit=once; HttpOnly"));
  await browser.evaluate(`(async () => {
    localStorage.token = ${JSON.stringify(SECRET)};
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await new Promise((resolve, reject) => {
      const request = indexedDB.open("db", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("s");
      request.onerror = reject;
      request.onsuccess = () => {
        const put = request.result.transaction("s", "readwrite");
        put.objectStore("s").put(privateKey, "key");
        put.objectStore("s").put(new Blob(["blob"]), "blob");
        put.oncomplete = () => (request.result.close(), resolve(0));
      };
    });
    await navigator.serviceWorker.register("/sw.js");
    await navigator.serviceWorker.ready;
    await (await caches.open("c")).put("/kept", new Response("cached"));
  })()`);
  return guest;
}

const whatIsThere = async (world: World, name: string) => {
  const browser = drive(world.engine.guest(name));
  await browser.navigate(`${site.origin}/echo`);
  return await browser.evaluate(`(async () => {
    const records = await new Promise((resolve, reject) => {
      const request = indexedDB.open("db", 1);
      request.onerror = reject;
      request.onsuccess = async () => {
        const get = (key) => new Promise((done) => {
          const record = request.result.transaction("s").objectStore("s").get(key);
          record.onsuccess = () => done(record.result);
        });
        const [key, blob] = [await get("key"), await get("blob")];
        request.result.close();
        resolve({ key: key.type + " " + key.extractable, blob: await blob.text() });
      };
    });
    return {
      cookie: JSON.parse(document.body.innerText).cookie.split("; ").sort(),
      token: localStorage.token,
      ...records,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      cached: await (await (await caches.open("c")).match("/kept")).text(),
    };
  })()`);
};

const ALL = {
  cookie: [`login=${SECRET}`, "visit=once"],
  token: SECRET,
  key: "private false",
  blob: "blob",
  workers: 1,
  cached: "cached",
};

test("all a browser keeps is in another one from its first page on; the one saved goes on with its pages", async () => {
  await using world = new World();
  world.driver.guest = "agent";
  const profiles = profilesOf(world);
  const guest = await logIn(world, "demo");
  const saved = await profiles.save({ name: "alice", replace: false, whole: true }, guest);
  expect(saved).toMatchObject({ kind: "whole", cookies: 2, chromium: expect.stringMatching(/\/\d+\./) });
  expect((await guest.tabs()).items.map(({ url }) => url)).toEqual([setCookie("visit=once; HttpOnly")]);
  expect(await whatIsThere(world, "demo")).toEqual(ALL);
  expect((await guest.health()).chromium.restarts).toBe(0);

  const [file = ""] = readdirSync(paths.profiles(world.config));
  expect(readFileSync(join(paths.profiles(world.config), file)).includes(SECRET)).toBe(false);
  await profiles.rotateKey();
  await Promise.all([
    world.engine.create(request("one", { profile: "alice" })),
    world.engine.create(request("two", { profile: "alice" })),
  ]);
  expect(await whatIsThere(world, "one")).toEqual(ALL);
  await drive(world.engine.guest("one")).evaluate("localStorage.clear()");
  expect(await whatIsThere(world, "two")).toEqual(ALL);
  await world.engine.restart("one");
  expect(await whatIsThere(world, "one")).toEqual(ALL);
  expect(
    await refused(
      "invalid_request",
      Promise.resolve().then(() => profiles.export("alice")),
    ),
  ).toContain("whole");
});

test("carried to another machine as a file, it is all there", async () => {
  await using world = new World();
  const profiles = await saveAlice(world);
  const { bytes } = profiles.exportArchive("alice");
  await using elsewhere = new World();
  elsewhere.driver.guest = "agent";
  expect(await profilesOf(elsewhere).importArchive("alice", false, bytes)).toMatchObject({
    ...{ kind: "whole", cookies: 2, origins: 1, chromium: profiles.get("alice").chromium },
  });
  await elsewhere.engine.create(request("there", { profile: "alice" }));
  expect(await whatIsThere(elsewhere, "there")).toEqual(ALL);
});

/** A profile of that name in that world, saved from a VM that is gone. */
async function saveAlice(world: World): Promise<Profiles> {
  world.driver.guest = "agent";
  const profiles = profilesOf(world);
  await profiles.save({ name: "alice", replace: false, whole: true }, await logIn(world, "demo"));
  await world.engine.delete("demo");
  return profiles;
}
/** Resolves when its machine is there and its browser is about to wait. */
const spawned = async (world: World, vmId: () => string) => {
  for await (const { data, vm_id } of world.engine.subscribe(0, AbortSignal.timeout(50_000)))
    if (data.phase === "spawned" && vm_id === vmId()) return;
};

test("a file that is cut short leaves no VM that runs, and nothing of it in a browser", async () => {
  await using world = new World();
  await saveAlice(world);
  const [name = ""] = readdirSync(paths.profiles(world.config));
  const file = join(paths.profiles(world.config), name);
  truncateSync(file, statSync(file).size - 1);
  const message = await refused("profile_unreadable", world.engine.create(request("work", { profile: "alice" })));
  expect(message).toContain("work: its browser could not be given the profile alice");
  expect(world.engine.get("work")).toMatchObject({ status: "crashed" });
});

test("the server dies while the browser waits for it: the next one gives it before the VM runs", async () => {
  await using first = new World();
  await saveAlice(first);
  const created = first.engine.create(request("work", { profile: "alice" })).catch(() => {});
  await spawned(first, () => first.engine.get("work").id);
  expect(first.engine.get("work").status).toBe("starting");
  first.die();
  await using second = await first.next();
  await second.event("VM_RUNNING", "work");
  expect(await whatIsThere(second, "work")).toEqual(ALL);
  await created;
});

test("the server dies in the middle of giving it: the next one gives it, and no browser is replaced that a VM runs with", async () => {
  await using first = new World();
  await saveAlice(first);
  const created = first.engine.create(request("work", { profile: "alice" })).catch(() => {});
  for await (const { data, vm_name } of first.engine.subscribe(0, AbortSignal.timeout(50_000)))
    if (data.phase === "profile" && vm_name === "work") break;
  first.die();
  await using second = await first.next();
  await second.event("VM_RUNNING", "work");
  expect(await whatIsThere(second, "work")).toEqual(ALL);
  await created;
  expect(await whatIsThere(second, "work")).toEqual(ALL);
});

test("one that is no whole one any more when the browser waits for it is given all the same", async () => {
  await using world = new World();
  const profiles = await saveAlice(world);
  world.driver.hook = (step) => {
    if (step !== "spawned") return;
    const cookies = [{ name: "login", value: "another", domain: "localhost" }];
    profiles.import("alice", { state: { cookies, origins: [] }, replace: true });
  };
  await world.engine.create(request("work", { profile: "alice" }));
  const browser = drive(world.engine.guest("work"));
  await browser.navigate(`${site.origin}/echo`);
  expect(await browser.evaluate("JSON.parse(document.body.innerText).cookie")).toBe("login=another");
});
