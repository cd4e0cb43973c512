import { afterEach, describe, expect, test } from "bun:test";
import type { EgressPolicy, EgressRefusal, VmEvent } from "../../src/contract/index.ts";
import { HypeError } from "../../src/contract/index.ts";
import { request, until, World } from "./world.ts";

const worlds: World[] = [];
const aWorld = (options: ConstructorParameters<typeof World>[0] = {}) => {
  const world = new World(options);
  worlds.push(world);
  return world;
};
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]();
});

const policy = (change: Partial<EgressPolicy> = {}): EgressPolicy => ({
  mode: "internet",
  allow: [],
  deny: [],
  ...change,
});
const told = (world: World, type: VmEvent["type"]) => world.engine.events({ type }).items;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "nothing thrown",
    (thrown: unknown) => (thrown instanceof HypeError ? thrown.code : thrown),
  );

describe("egress", () => {
  test("without a wish the network's default holds; a wish reaches the network", async () => {
    const world = aWorld();
    const asked = policy({ mode: "none", allow: ["203.0.113.7:443"] });
    const [plain, strict] = [
      await world.engine.create(request("plain")),
      await world.engine.create(request("strict", { egress: asked })),
    ];
    expect([plain.egress_mode, strict.egress_mode]).toEqual(["open", "none"]);
    expect(world.network.asked.get(strict.id)).toEqual(asked);
    expect((await world.engine.egress("strict")).policy).toEqual(asked);
  });

  test("a policy the network cannot keep is refused before anything is made", async () => {
    const world = aWorld();
    world.network.mustPolice = () => {
      throw new HypeError("egress_unsupported", "no");
    };
    expect(await codeOf(world.engine.create(request("a", { egress: policy() })))).toBe("egress_unsupported");
    expect(world.engine.list({}).total).toBe(0);
    await world.engine.create(request("b"));
    expect(await codeOf(world.engine.setEgress("b", policy()))).toBe("egress_unsupported");
    expect((await world.engine.egress("b")).policy.mode).toBe("open");
  });

  test("a change is in force at once, stands in the row, and is told", async () => {
    const world = aWorld();
    const vm = await world.engine.create(request("a"));
    const next = policy({ deny: ["198.51.100.0/24"] });
    expect((await world.engine.setEgress("a", next)).policy).toEqual(next);
    expect(world.network.policies).toEqual([[String(vm.endpoint), next]]);
    expect(world.engine.get("a").egress_mode).toBe("internet");
    expect(told(world, "VM_EGRESS_CHANGED").map(({ data }) => data)).toEqual([{ mode: "internet", allow: 0, deny: 1 }]);
  });

  test("of a stopped VM it holds from the next start", async () => {
    const world = aWorld();
    const vm = await world.engine.create(request("a"));
    await world.engine.stop("a", { force: true });
    await world.engine.setEgress("a", policy());
    expect(world.network.policies).toEqual([]);
    await world.engine.start("a");
    expect(world.network.asked.get(vm.id)).toEqual(policy());
  });

  test("a row that cannot be written leaves the old policy in force", async () => {
    const world = aWorld();
    const vm = await world.engine.create(request("a"));
    world.limitDatabase(true);
    const long = policy({ allow: Array.from({ length: 2000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`) });
    expect(await codeOf(world.engine.setEgress("a", long))).toBe("disk_full");
    world.limitDatabase(false);
    expect(world.network.policies.at(-1)).toEqual([String(vm.endpoint), policy({ mode: "open" })]);
    expect(world.engine.get("a").egress_mode).toBe("open");
  });
});

describe("refused connections", () => {
  const refusal = (address: string, packets = 1): EgressRefusal => ({ protocol: "tcp", address, port: 22, packets });

  test("the first is told at once, the rest of an interval in one event, the busiest first", async () => {
    const world = aWorld({ timing: { refusalsMs: 200 } });
    world.network.slotOf = () => 7;
    await world.engine.create(request("a"));
    world.network.refuse(7, [refusal("10.0.0.1")]);
    await until(() => told(world, "VM_EGRESS_DENIED").length === 1);
    world.network.refuse(7, [refusal("10.0.0.2")]);
    for (let n = 0; n < 100; n++) world.network.refuse(7, [refusal("10.0.0.3", 2)]);
    await until(() => told(world, "VM_EGRESS_DENIED").length === 2);
    const [first, second] = told(world, "VM_EGRESS_DENIED").map(({ data }) => data);
    expect(first).toEqual({ refusals: [refusal("10.0.0.1")], more: 0 });
    expect(second).toEqual({ refusals: [refusal("10.0.0.3", 200), refusal("10.0.0.2")], more: 0 });
  });

  test("a guest that knocks everywhere makes one bounded event", async () => {
    const world = aWorld();
    world.network.slotOf = () => 7;
    await world.engine.create(request("a"));
    world.network.refuse(
      7,
      Array.from({ length: 5000 }, (_, n) => refusal(`10.0.${n >> 8}.${n & 255}`)),
    );
    await until(() => told(world, "VM_EGRESS_DENIED").length === 1);
    const [event] = told(world, "VM_EGRESS_DENIED");
    expect(event?.data.refusals).toHaveLength(20);
    expect(event?.data.more).toBe(180);
  });

  test("of a slot nobody holds are nobody's", async () => {
    const world = aWorld();
    await world.engine.create(request("a"));
    world.network.refuse(9, [refusal("10.0.0.1")]);
    await world.engine.stop("a", { force: true });
    expect(told(world, "VM_EGRESS_DENIED")).toEqual([]);
  });
});
