import { expect, test } from "bun:test";
import { join } from "node:path";
import { Artifacts } from "../../src/artifacts/artifacts.ts";
import type { VmEvent } from "../../src/contract/index.ts";
import { silentLog } from "../../src/log/log.ts";
import { request, World } from "../engine/world.ts";
import { refused } from "../lib/refused.ts";
import { aFile, bytesOf, Shelf } from "./world.ts";

test("what is kept or deleted stands in the journal, with the row and without the file's name", async () => {
  const told: VmEvent[] = [];
  using shelf = new Shelf({ onEvent: (event) => told.push(event) });
  const first = await shelf.artifacts.keep(aFile(), bytesOf("one"));
  const second = await shelf.artifacts.keep(aFile({ name: "secret.png" }), bytesOf("one"));
  shelf.artifacts.delete(first.id);
  shelf.artifacts.delete(second.id);
  const rows = shelf.store.events.list({ after: 0, limit: 10 });
  expect(rows).toEqual(told);
  expect(rows.map(({ type, vm_name, data }) => [type, vm_name, data])).toEqual([
    ["VM_ARTIFACT_KEPT", "demo", { artifact: first.id, kind: "screenshot", size_bytes: 3 }],
    ["VM_ARTIFACT_KEPT", "demo", { artifact: second.id, kind: "screenshot", size_bytes: 3 }],
    ["VM_ARTIFACT_DELETED", "demo", { artifact: first.id, kind: "screenshot", size_bytes: 3 }],
    ["VM_ARTIFACT_DELETED", "demo", { artifact: second.id, kind: "screenshot", size_bytes: 3 }],
  ]);
  expect(JSON.stringify(rows)).not.toContain("secret");
});

test("what was not kept, or not there to be deleted, is told of nowhere", async () => {
  const told: VmEvent[] = [];
  using shelf = new Shelf({ onEvent: (event) => told.push(event) });
  await expect(
    shelf.artifacts.keep(aFile(), bytesOf("one"), () => {
      throw new Error("not what was announced");
    }),
  ).rejects.toThrow("announced");
  await refused("artifact_not_found", (async () => shelf.artifacts.delete(Bun.randomUUIDv7()))());
  expect([told, shelf.store.events.list({ after: 0, limit: 10 })]).toEqual([[], []]);
});

test("readers of the engine's events are told at once", async () => {
  await using world = new World();
  const vm = await world.engine.create(request("demo"));
  using artifacts = new Artifacts({
    directory: join(world.home, "artifacts"),
    store: world.store,
    log: silentLog,
    quotaMb: 64,
    retentionDays: 0,
    onEvent: () => world.engine.eventsAppended(),
  });
  const over = new AbortController();
  const reader = world.engine.subscribe(null, over.signal)[Symbol.asyncIterator]();
  const next = reader.next(); // it waits from here on
  const kept = await artifacts.keep(aFile({ vm }), bytesOf("one"));
  expect((await next).value).toMatchObject({ type: "VM_ARTIFACT_KEPT", vm_id: vm.id, data: { artifact: kept.id } });
  over.abort();
  await reader.return?.();
});
