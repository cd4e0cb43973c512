import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { HypeError } from "../../src/contract/index.ts";
import type { DriverStep } from "../lib/fake-driver.ts";
import type { NetworkStep } from "../lib/fake-network.ts";
import { gate, imageNamed, request, World } from "./world.ts";

setDefaultTimeout(30_000); // real processes on a machine that may be busy

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "nothing thrown";
  } catch (thrown) {
    if (thrown instanceof HypeError) return thrown.code;
    throw thrown;
  }
};

describe("create", () => {
  test("from nothing to usable, every step told", async () => {
    await using world = new World();
    const vm = await world.engine.create(request("demo", { labels: { team: "qa" }, kernel_cmdline: "nokaslr" }));
    expect(vm).toMatchObject({
      name: "demo",
      status: "running",
      status_reason: null,
      generation: 1,
      image: "0123456789abcdef",
      ip_address: "192.168.127.2",
      hypervisor: "qemu",
      accelerator: "tcg",
      labels: { team: "qa" },
    });
    expect(vm.boot_ms).toBeGreaterThan(0);
    expect(vm.pid).toBeGreaterThan(0);
    expect(world.engine.get("demo")).toEqual(vm);
    expect(world.engine.get(vm.id)).toEqual(vm);
    expect(world.types()).toEqual([
      "VM_CREATED",
      "VM_STARTING",
      "VM_BOOT_PROGRESS spawned",
      "VM_BOOT_PROGRESS agent",
      "VM_BOOT_PROGRESS browser",
      "VM_RUNNING",
    ]);
    expect((await world.engine.guest("demo").health()).status).toBe("ready");
    expect(world.engine.imagesInUse()).toEqual(new Map([["0123456789abcdef", ["demo"]]]));
    expect(world.engine.counts()).toEqual({
      total: 1,
      byStatus: { running: 1 },
      memoryCommittedMb: 512,
      leasesUsed: 1,
      leasesTotal: 253,
    });
    const spec = world.driver.specs[0];
    expect(spec?.cmdline).toMatch(
      /^quiet panic=-1 cryptomgr\.notests ip=10\.0\.0\.2::.*:demo:eth0:off:10\.0\.0\.1 hype\.root=root nokaslr$/,
    );
    expect(spec?.token).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify([vm, world.events()])).not.toContain(String(spec?.token));
    expect(existsSync(world.engine.logFiles("demo").console)).toBe(true);
  });

  test("wait: false answers with the row and boots on", async () => {
    await using world = new World();
    expect(await world.engine.create(request("demo"), { wait: false })).toMatchObject({ status: "creating" });
    await world.event("VM_RUNNING");
    expect(world.engine.get("demo").status).toBe("running");
  });

  test("a name is taken until its VM is gone, and free in the same moment", async () => {
    await using world = new World();
    await world.engine.create(request("demo"));
    expect(await codeOf(world.engine.create(request("demo")))).toBe("vm_name_taken");
    const other = await world.engine.create(request("other"));
    expect(await codeOf(world.engine.create(request(other.id)))).toBe("vm_name_taken"); // would hide that VM's id
    await world.engine.delete("demo");
    const again = await world.engine.create(request("demo"));
    expect(again.ip_address).toBe("192.168.127.2");
  });

  test("50 at once", async () => {
    await using world = new World();
    const names = Array.from({ length: 50 }, (_, n) => `vm-${n}`);
    const vms = await Promise.all(names.map((name) => world.engine.create(request(name))));
    expect(new Set(vms.map((vm) => vm.ip_address)).size).toBe(50);
    expect(world.engine.list({ status: "running" }).total).toBe(50);
    await Promise.all(names.map((name) => world.engine.delete(name)));
    expect(world.leftovers()).toEqual([]);
  }, 60_000);
});

describe("capacity", () => {
  test("memory is promised once: what does not fit is refused with the numbers, and nothing is left of it", async () => {
    await using world = new World({ memoryTotalMb: 2000 }); // 200 MB stay the host's
    await world.engine.create(request("a", { memory_mb: 1000 }));
    const refused = world.engine.create(request("b", { memory_mb: 801 }));
    expect(await codeOf(refused)).toBe("insufficient_memory");
    expect(refused).rejects.toThrow(/801 MB are asked for; 800 MB are free/);
    expect(world.engine.counts().total).toBe(1);
    const [first, second] = await Promise.allSettled([
      world.engine.create(request("c", { memory_mb: 600 })),
      world.engine.create(request("d", { memory_mb: 600 })),
    ]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  });

  test("a stopped VM gives its memory back and needs it again to start", async () => {
    await using world = new World({ memoryTotalMb: 2000 });
    await world.engine.create(request("a", { memory_mb: 1000 }));
    await world.engine.stop("a", { force: true });
    await world.engine.create(request("b", { memory_mb: 1000 }));
    expect(await codeOf(world.engine.start("a"))).toBe("insufficient_memory");
    expect(world.engine.get("a").status).toBe("stopped");
  });

  test("more cores than the host has are refused; sharing them is not", async () => {
    await using world = new World({ cpuCores: 2 });
    expect(await codeOf(world.engine.create(request("a", { cpu_cores: 3 })))).toBe("insufficient_cpu");
    await world.engine.create(request("b", { cpu_cores: 2 }));
    await world.engine.create(request("c", { cpu_cores: 2 }));
  });

  test("addresses run out with a word, not a crash", async () => {
    await using world = new World({ env: { OVERHYPED_SUBNET: "10.77.0.0/29" } });
    for (const n of [1, 2, 3, 4, 5]) await world.engine.create(request(`vm-${n}`), { wait: false });
    expect(await codeOf(world.engine.create(request("one-more")))).toBe("lease_pool_empty");
    expect(world.engine.counts()).toMatchObject({ leasesUsed: 5, leasesTotal: 5 });
  });
});

describe("a creation that fails before its VMM runs is undone", () => {
  type Fault = { name: string; code: string; make: (world: World) => void };
  const fail = () => {
    throw new HypeError("network_failed", "no more of that");
  };
  const faults: Fault[] = [
    {
      name: "image missing",
      code: "image_not_found",
      make: (world) => {
        world.resolve = async () => {
          throw new HypeError("image_not_found", "there is no image");
        };
      },
    },
    ...(["attach", "spawned", "attached"] as const).map((step: NetworkStep) => ({
      name: `network, ${step}`,
      code: "network_failed",
      make: (world: World) => {
        world.network.hook = (at) => (at === step ? fail() : undefined);
      },
    })),
    ...(["start", "spawned", "started"] as const).map((step: DriverStep) => ({
      name: `driver, ${step}`,
      code: "network_failed",
      make: (world: World) => {
        world.driver.hook = (at) => (at === step ? fail() : undefined);
      },
    })),
  ];
  for (const { name, code, make } of faults)
    test(name, async () => {
      await using world = new World();
      make(world);
      expect(await codeOf(world.engine.create(request("demo")))).toBe(code);
      expect(world.leftovers()).toEqual([]);
      expect(world.types().at(-1)).toBe("VM_DELETED");
      expect(world.events().at(-1)?.data.reason).toBeString();
    });

  test("run directory cannot be made", async () => {
    await using world = new World({ env: { OVERHYPED_RUNTIME_DIR: "/sys/overhyped" } }); // sysfs refuses even root
    expect(await codeOf(world.engine.create(request("demo")))).toBe("state_unwritable");
    expect(world.leftovers()).toEqual([]);
  });

  test("disk full under the database: refused, and undone once there is room again", async () => {
    await using world = new World();
    world.network.hook = (step) => (step === "attached" ? world.limitDatabase(true) : undefined);
    world.resolve = async () => imageNamed("x".repeat(200_000)); // a row that needs pages
    expect(await codeOf(world.engine.create(request("demo")))).toBe("disk_full");
    world.limitDatabase(false);
    await world.engine.reconcile();
    expect(world.leftovers()).toEqual([]);
  });

  test("an undo that fails too is made up for by the next sweep", async () => {
    await using world = new World();
    world.driver.hook = fail;
    world.network.hook = (step) => (step === "detach" ? fail() : undefined);
    expect(await codeOf(world.engine.create(request("demo")))).toBe("network_failed");
    expect(world.engine.get("demo").status).toBe("deleting");
    // Whoever only watches events learns why the VM does not come.
    expect(world.events().at(-1)).toMatchObject({ type: "VM_DELETING", data: { code: "network_failed" } });
    world.network.hook = () => {};
    await world.engine.reconcile();
    expect(world.leftovers()).toEqual([]);
  });
});

describe("a creation that fails after the spawn is kept as crashed", () => {
  const cases = [
    { mood: "dies while booting", code: "boot_failed", reason: /exit code 3: stub-vmm: cannot go on while booting/ },
    { mood: "panics while booting", code: "boot_failed", reason: /the guest kernel panicked while booting/ },
    { mood: "powers off while booting", code: "boot_failed", reason: /powered itself off while booting/ },
    { mood: "never ready", code: "boot_timeout", reason: /not usable within 1500 ms/ },
    { mood: "never listens", code: "boot_timeout", reason: /not usable within 1500 ms/ },
  ] as const;
  for (const { mood, code, reason } of cases)
    test(mood, async () => {
      await using world = new World({ env: { OVERHYPED_BOOT_TIMEOUT_MS: "1500" } });
      world.driver.mood = mood;
      const created = world.engine.create(request("demo"));
      expect(await codeOf(created)).toBe(code);
      expect(created).rejects.toThrow(/stub kernel booting/); // the console's words stand in the error
      const vm = world.engine.get("demo");
      expect(vm).toMatchObject({ status: "crashed", pid: null, endpoint: null, ip_address: "192.168.127.2" });
      expect(vm.status_reason).toMatch(reason);
      expect(vm.console_tail).toContain("stub kernel booting");
      expect(vm.console_tail).not.toMatch(/[^\P{Cc}\n\t]/u);
      expect(world.types().at(-1)).toBe("VM_CRASHED");
      expect(existsSync(world.runDir(vm))).toBe(false);
      expect(readFileSync(world.engine.logFiles("demo").console, "utf8")).toContain("stub kernel");
      expect(world.leftovers().filter((what) => what.startsWith("process"))).toEqual([]);
      await world.engine.delete("demo");
      expect(world.leftovers()).toEqual([]);
    });
});

describe("cancelled", () => {
  test("by a signal that fired before: nothing happens", async () => {
    await using world = new World();
    expect(await codeOf(world.engine.create(request("demo"), { signal: AbortSignal.abort() }))).toBe("cancelled");
    expect(world.events()).toEqual([]);
  });

  const steps: { name: string; hang: (world: World, reached: () => void) => void }[] = [
    {
      name: "while the image is checked",
      hang: (world, reached) => {
        const image = world.resolve;
        world.resolve = async (ref) => {
          reached();
          return await image(ref);
        };
      },
    },
    {
      name: "in the network",
      hang: (world, reached) => {
        world.network.hook = (step) => (step === "attach" ? reached() : undefined);
      },
    },
    {
      name: "in the driver",
      hang: (world, reached) => {
        world.driver.hook = (step) => (step === "start" ? reached() : undefined);
      },
    },
    {
      name: "while it boots",
      hang: (world, reached) => {
        world.driver.mood = "never ready";
        world.driver.hook = (step) => (step === "started" ? void setImmediate(reached) : undefined);
      },
    },
  ];
  for (const { name, hang } of steps) {
    test(`by its caller ${name}: undone`, async () => {
      await using world = new World();
      const caller = new AbortController();
      hang(world, () => caller.abort());
      expect(await codeOf(world.engine.create(request("demo"), { signal: caller.signal }))).toBe("cancelled");
      expect(world.leftovers()).toEqual([]);
    });

    test(`by a delete ${name}: undone, and the delete returns when it is`, async () => {
      await using world = new World();
      const reached = gate();
      let deleted: Promise<void> | undefined;
      hang(world, () => {
        deleted = world.engine.delete("demo");
        reached.resolve();
      });
      const created = codeOf(world.engine.create(request("demo")));
      await reached.promise;
      await deleted;
      expect(world.leftovers()).toEqual([]);
      expect(await created).toBe("cancelled");
      expect(world.types().filter((type) => type === "VM_DELETED")).toHaveLength(1);
    });
  }

  test("a client that goes away without cancelling leaves the boot alone", async () => {
    await using world = new World();
    void world.engine.create(request("demo")).catch(() => {});
    await world.event("VM_RUNNING");
  });
});

test("a deletion does not wait for a hypervisor that is still being chosen", async () => {
  const chosen = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using world = new World({
    openDriver: async (driver) => {
      asked.resolve();
      await chosen.promise;
      return driver;
    },
  });
  const created = world.engine.create(request("demo")).catch((thrown: HypeError) => thrown.code);
  await asked.promise;
  await world.engine.delete("demo");
  expect(await created).toBe("cancelled");
  expect(world.engine.list({}).total).toBe(0);
  expect(world.driver.specs).toEqual([]);
  chosen.resolve();
});
