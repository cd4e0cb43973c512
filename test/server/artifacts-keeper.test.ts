import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { Artifacts } from "../../src/artifacts/artifacts.ts";
import { paths } from "../../src/config/paths.ts";
import {
  GetRecording,
  OpenTab,
  type Recording,
  StartRecording,
  StopRecording,
  type Vm,
} from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import { DOWNLOADS, RECORDINGS } from "../../src/server/artifacts/files.ts";
import { keepFile } from "../../src/server/artifacts/keep.ts";
import { Keeper } from "../../src/server/artifacts/keeper.ts";
import { sha256 } from "../artifacts/world.ts";
import { request, until, World } from "../engine/world.ts";
import { refused } from "../lib/refused.ts";

setDefaultTimeout(60_000); // a real Chromium starts here

/** `/get/NAME` is a download whose bytes are its name; `/paced` one that ends when it is told to. */
let site: Bun.Server<undefined>;
let finish: PromiseWithResolvers<void>;
beforeAll(() => {
  const attached = (body: BodyInit, name: string) =>
    new Response(body, { headers: { "content-disposition": `attachment; filename=${name}` } });
  site = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch({ url }) {
      const name = new URL(url).pathname.split("/").at(-1)!;
      if (name === "") return new Response("<title>Site</title>", { headers: { "content-type": "text/html" } });
      if (name !== "paced") return attached(name, name);
      return attached(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new Uint8Array(100_000));
            await finish.promise;
            controller.close();
          },
        }),
        name,
      );
    },
  });
});
afterAll(() => site.stop(true));

/** What a server builds over its engine to keep downloads and films. */
function keeping(world: World, quotaMb = 64) {
  const lines: string[] = [];
  const log = createLog({ level: "debug", write: (line) => lines.push(line) });
  const { engine, store } = world;
  const closing = new AbortController();
  const directory = paths.artifacts(world.config);
  const artifacts = new Artifacts({
    directory,
    store,
    log,
    quotaMb,
    retentionDays: 0,
    reserveBytes: 0,
  });
  const parts = { engine, artifacts, store, log, closing: closing.signal };
  const keepers = [DOWNLOADS, RECORDINGS].map((files) => new Keeper(files, parts));
  const names = () => artifacts.list({ limit: 100 }).items.map(({ name }) => name);
  return {
    artifacts,
    lines,
    names,
    kept: (name: string) => until(() => names().includes(name)),
    async [Symbol.asyncDispose]() {
      await Promise.all(keepers.map((keeper) => keeper[Symbol.asyncDispose]()));
      artifacts[Symbol.dispose]();
    },
  };
}
const begin = async (world: World, vm: string, name: string) => {
  const guest = world.engine.guest(vm);
  const here = `http://127.0.0.1:${site.port}`;
  await guest.navigate({ url: `${here}/`, wait_until: "load", timeout_ms: 30_000 });
  const expression = `location.href = '${here}/get/${name}'`;
  await guest.evaluate({ expression, await_promise: true, timeout_ms: 10_000 });
};

test("downloads of a VM with the policy are kept as they end, once each, over connections, servers and the VM's own end", async () => {
  finish = Promise.withResolvers();
  await using first = new World();
  first.driver.guest = "agent";
  let vm: Vm;
  {
    await using keeper = keeping(first);
    vm = await first.engine.create(request("demo", { keep: ["download"], labels: { team: "qa" } }));
    expect(vm.keep).toEqual(["download"]);
    await begin(first, "demo", "one.txt");
    await keeper.kept("one.txt");
    const [one] = keeper.artifacts.list({ limit: 1 }).items;
    expect(one).toMatchObject({
      kind: "download",
      sha256: sha256("one.txt"),
      vm_id: vm.id,
      size_bytes: 7,
    });
    keeper.artifacts.delete(one!.id);
  }
  // Nobody listens now.
  await begin(first, "demo", "two.txt");
  first.die();

  await using second = await first.next();
  await using keeper = keeping(second);
  await keeper.kept("two.txt");
  await begin(second, "demo", "three.txt");
  await keeper.kept("three.txt");
  expect(keeper.names().toSorted()).toEqual(["three.txt", "two.txt"]); // one.txt was kept before, and deleted

  await begin(second, "demo", "paced");
  await second.engine.delete("demo"); // in the middle of a download
  expect(keeper.names().toSorted()).toEqual(["three.txt", "two.txt"]);
  expect(second.leftovers()).toEqual([]);
  expect(second.store.artifacts.keptCount(vm.id, "download")).toBe(0);
  expect(await keeper.artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
  finish.resolve();
});

test("one that does not fit is told in the log and leaves nothing; a VM without the policy keeps nothing", async () => {
  await using world = new World();
  world.driver.guest = "agent";
  await using keeper = keeping(world, 1);
  const filler = {
    kind: "other",
    name: "filler",
    contentType: "a/b",
    vm: { id: "x", name: "x", labels: {} },
  } as const;
  const { id } = await keeper.artifacts.keep(filler, new Uint8Array(1_048_570));
  await world.engine.create(request("demo", { keep: ["download"] }));
  await world.engine.create(request("plain", { keep: ["screenshot"] }));
  await begin(world, "plain", "plain.txt");
  await begin(world, "demo", "too-long-for-it.txt");
  await until(() => keeper.lines.some((line) => line.includes("artifact_quota_exceeded")));
  expect(keeper.names()).toEqual(["filler"]);
  keeper.artifacts.delete(id);
  await begin(world, "demo", "fits.txt");
  await keeper.kept("fits.txt");
  expect(keeper.names()).toEqual(["fits.txt"]);
});

/** Films of a VM's guest. */
const films = (world: World, vm: string) => {
  const { recordings } = world.engine.guest(vm);
  return {
    recordings,
    begin: (how: object) => recordings.start(v.parse(StartRecording, { format: "mkv", ...how })),
    stop: (id: string) => recordings.stop(v.parse(StopRecording, { id })),
    ended: (id: string): Promise<Recording> =>
      recordings.get(v.parse(GetRecording, { id, wait: true, timeout_ms: 30_000 })),
    /** Its bytes, as somebody who stops it keeps them. */
    bytes: async (id: string) => (await recordings.read({ id, from: 0 }, AbortSignal.timeout(30_000))).bytes,
  };
};

test("films that end by themselves are kept, once each, over servers; one that is stopped is not the policy's", async () => {
  await using first = new World();
  first.driver.guest = "agent";
  let vm: Vm;
  let deleted: string;
  {
    await using keeper = keeping(first);
    vm = await first.engine.create(request("demo", { keep: ["recording"] }));
    const { begin, stop, ended } = films(first, "demo");
    const keptFilms = () => keeper.artifacts.list({ limit: 100 }).items;
    const stopped = await begin({});
    await stop(stopped.id);
    const timed = await begin({ max_seconds: 1 });
    await until(() => keptFilms().length === 1);
    const told = await ended(timed.id);
    expect(told.ended_by).toBe("max_seconds");
    expect(keptFilms()[0]).toMatchObject({
      kind: "recording",
      name: expect.stringMatching(/^demo-\d+T\d+\.mkv$/),
      content_type: "video/x-matroska",
      size_bytes: told.bytes,
      vm_id: vm.id,
    });
    deleted = keptFilms()[0]!.id;
    keeper.artifacts.delete(deleted);

    const guest = first.engine.guest("demo");
    const { tab } = await guest.openTab(v.parse(OpenTab, {}));
    const filmed = await begin({ tab });
    await guest.closeTab({ tab, timeout_ms: 10_000 });
    expect((await ended(filmed.id)).ended_by).toBe("tab_closed");
    await until(() => keptFilms().length === 1);
    expect(first.store.artifacts.keptAs(vm.id, "recording", stopped.id)).toBeNull();
  }
  // Nobody listens now.
  const alone = films(first, "demo");
  const { id } = await alone.begin({ max_seconds: 1 });
  await alone.ended(id);
  first.die();

  await using second = await first.next();
  await using keeper = keeping(second);
  await until(() => second.store.artifacts.keptAs(vm.id, "recording", id) !== null);
  expect(second.store.artifacts.keptCount(vm.id, "recording")).toBe(3);
  expect(keeper.artifacts.list({ limit: 100 }).items).toHaveLength(2); // without the one that was deleted
  await second.engine.delete("demo");
  expect(second.store.artifacts.keptCount(vm.id, "recording")).toBe(0);
  expect(await keeper.artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
});

test("a film that the policy and a caller keep at the same time is one artifact, with the caller's name", async () => {
  await using world = new World();
  world.driver.guest = "agent";
  await using keeper = keeping(world);
  const parts = { engine: world.engine, artifacts: keeper.artifacts };
  const keepIt = async (vm: Vm, id: string, name?: string) => {
    const file = { contentType: "video/x-matroska", ending: ".mkv", bytes: await bytes(id), fileId: id };
    return await keepFile(parts, vm, "recording", name, file);
  };
  const vm = await world.engine.create(request("demo", { keep: ["recording"] }));
  const { begin, stop, ended, bytes } = films(world, "demo");
  const first = await begin({ max_seconds: 1 });
  await ended(first.id); // the keeper hears of it at the same time
  await stop(first.id);
  const kept = await keepIt(vm, first.id, "visit.mkv");
  const second = await begin({ max_seconds: 1 });
  // One after the other: when the second is kept, the policy has done with the first.
  await until(() => world.store.artifacts.keptAs(vm.id, "recording", second.id) !== null);
  expect((await keepIt(vm, first.id)).id).toBe(kept.id);
  const { items } = keeper.artifacts.list({ limit: 100 });
  expect(items).toHaveLength(2);
  expect(items.find(({ id }) => id === kept.id)?.name).toBe("visit.mkv");
});

test("a file of a guest that two keep at once, in either order, and one that was deleted since", async () => {
  await using world = new World();
  await using keeper = keeping(world);
  const { artifacts } = keeper;
  const vm = await world.engine.create(request("demo"));
  const file = { kind: "recording", contentType: "video/webm", vm, fileId: "F1" } as const;
  const policy = { ...file, name: "by-policy.webm", byPolicy: true };
  const caller = { ...file, name: "by-caller.webm", isNamed: true };
  const film = new TextEncoder().encode("film");
  const gate = Promise.withResolvers<void>();
  async function* late() {
    await gate.promise;
    yield film;
  }
  const second = artifacts.keep(policy, late());
  const kept = await artifacts.keep(caller, film);
  gate.resolve();
  expect(await second).toEqual(kept);
  expect(keeper.names()).toEqual(["by-caller.webm"]);

  const other = await artifacts.keep({ ...policy, fileId: "F2" }, film);
  expect((await artifacts.keep({ ...file, name: "unnamed", fileId: "F2" }, film)).name).toBe("by-policy.webm");
  expect(await artifacts.keep({ ...caller, fileId: "F2", name: "../mine.webm" }, film)).toMatchObject({
    id: other.id,
    name: artifacts.get(other.id).name,
  });
  expect(artifacts.get(other.id).name).toEndWith("mine.webm");
  expect(keeper.names()).toHaveLength(2);

  artifacts.delete(kept.id);
  await refused("artifact_not_found", artifacts.keep(policy, film));
  const anew = await artifacts.keep(caller, film); // somebody asks: that counts for more
  expect(anew.id).not.toBe(kept.id);
  expect((await artifacts.keep(policy, film)).id).toBe(anew.id);
  expect(await artifacts.compare()).toEqual({ missing: 0, strangers: 0 });
});
