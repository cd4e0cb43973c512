import { describe, expect, test } from "bun:test";
import { HypeError, VmStatus } from "../../src/contract/index.ts";
import { ALLOWED, HOPS, type Operation, transition } from "../../src/engine/states.ts";
import { contextOf, forever, request, World } from "./world.ts";

/** Puts a row into a state, as a dead server may have left it. */
async function rowIn(world: World, status: VmStatus): Promise<string> {
  world.network.hook = forever;
  const vm = await world.engine.create(request("demo"), { wait: false });
  world.store.vms.update(vm.id, { status }, vm.updated_at);
  return vm.id;
}

describe("every hop between two states is legal or refused, as the table says", () => {
  for (const from of VmStatus.options)
    for (const to of VmStatus.options) {
      const event = HOPS[from][to];
      test(`${from} -> ${to}: ${event ?? "refused"}`, async () => {
        const world = new World();
        const id = await rowIn(world, from);
        const before = world.events().length;
        const hop = () => transition(contextOf(world), id, to, { data: { reason: "test" } });
        if (event) {
          expect(hop()).toMatchObject({ id, status: to });
          expect(world.events().slice(before)).toMatchObject([
            { type: event, vm_name: "demo", data: { reason: "test" } },
          ]);
        } else {
          expect(hop).toThrow(expect.objectContaining({ code: "vm_state_conflict" }));
          expect(world.events().length).toBe(before);
          expect(world.engine.get(id).status).toBe(from);
        }
        world.abandon();
      });
    }

  test("an unknown VM", () => {
    const world = new World();
    expect(() => transition(contextOf(world), "nobody", "running")).toThrow(
      expect.objectContaining({ code: "vm_not_found" }),
    );
    world.abandon();
  });
});

describe("what a user may ask for in which state", () => {
  const operations = Object.keys(ALLOWED) as Operation[];
  for (const operation of operations)
    for (const status of VmStatus.options) {
      const allowed = (ALLOWED[operation] as readonly VmStatus[]).includes(status);
      if (allowed) continue; // those are played in lifecycle.test.ts
      test(`${operation} while ${status}: refused, naming the states that allow it`, async () => {
        const world = new World();
        await rowIn(world, status);
        const events = world.events().length;
        const refused = await world.engine[operation]("demo", {}).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(refused).toBeInstanceOf(HypeError);
        expect(refused).toMatchObject({ code: "vm_state_conflict", details: { status, allowed: ALLOWED[operation] } });
        expect((refused as HypeError).message).toContain(`demo is ${status}`);
        expect(world.events().length).toBe(events);
        world.abandon();
      });
    }

  for (const operation of operations)
    test(`${operation} of a VM that is not there`, async () => {
      await using world = new World();
      expect(world.engine[operation]("nobody", {})).rejects.toMatchObject({ code: "vm_not_found" });
    });
});
