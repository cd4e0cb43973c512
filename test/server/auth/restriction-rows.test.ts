import { expect, test } from "bun:test";
import { viewOf } from "../../../src/server/auth/view.ts";
import { eventsWithin, listWithin, streamWithin } from "../../../src/server/auth/view-queries.ts";
import { request, World } from "../../engine/world.ts";

/** The engine's own rows and events: what it writes is what a restriction reads. */
test("a key restricted by a label sees all events of its VMs after they are deleted, and nothing of others", async () => {
  await using world = new World();
  const { engine } = world;
  for (const [name, team] of [
    ["mine", "qa"],
    ["theirs", "web"],
  ] as const) {
    await engine.create(request(name, { labels: { team } }));
    await engine.delete(name);
  }
  await engine.create(request("living", { labels: { team: "qa", more: "x" } }));
  await engine.create(request("other"));

  const view = viewOf({ vms: [], labels: { team: "qa" } })!;
  expect(listWithin(engine, view, {})).toMatchObject({ total: 1, items: [{ name: "living" }] });
  const { items, next } = eventsWithin(engine, view, { limit: 1000 });
  expect(next).toBeNull();
  expect(new Set(items.map(({ vm_name }) => vm_name))).toEqual(new Set(["mine", "living"]));
  expect(items.map(({ type, vm_name }) => `${vm_name} ${type}`)).toContain("mine VM_DELETED");

  const stop = new AbortController();
  const streamed: number[] = [];
  for await (const event of streamWithin(engine, view, engine.subscribe(0, stop.signal))) {
    streamed.push(event.seq);
    if (streamed.length === items.length) stop.abort();
  }
  expect(streamed).toEqual(items.map(({ seq }) => seq));
});

test("a page of a key that sees nothing ends after so many rows, and says where to go on", async () => {
  await using world = new World();
  await world.engine.create(request("other"));
  world.store.write(() => {
    for (let count = 0; count < 7_000; count++)
      world.store.events.append({ type: "VM_RUNNING", vm_id: "x", vm_name: "other", at: "now", data: {} });
  });
  const view = viewOf({ vms: ["mine"], labels: {} })!;
  const first = eventsWithin(world.engine, view, { limit: 10 });
  expect(first).toEqual({ items: [], next: 5_000 });
  expect(eventsWithin(world.engine, view, { limit: 10, after: first.next! })).toEqual({ items: [], next: null });
});
