import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Artifacts } from "../../src/artifacts/artifacts.ts";
import { paths } from "../../src/config/paths.ts";
import type { Vm } from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import { DownloadKeeper } from "../../src/server/artifacts/download-keeper.ts";
import { sha256 } from "../artifacts/world.ts";
import { request, until, World } from "../engine/world.ts";

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

/** What a server builds over its engine to keep downloads. */
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
  const keeper = new DownloadKeeper({ engine, artifacts, store, log, closing: closing.signal });
  const names = () => artifacts.list({ limit: 100 }).items.map(({ name }) => name);
  return {
    artifacts,
    lines,
    names,
    kept: (name: string) => until(() => names().includes(name)),
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]();
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
  expect(second.store.artifacts.downloadsNoted(vm.id)).toBe(0);
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
