import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { VmConfig } from "../../fake/cloud-hypervisor/schema.ts";
import { API, EVENTS, MINIMAL, TestVmm } from "./vmm.ts";

const KERNEL = "/etc/passwd";
const disk = (path: string, more: object = {}): VmConfig => ({
  ...MINIMAL,
  disks: [{ id: "root", path, image_type: "Raw", ...more }],
});

describe("vm.create", () => {
  test("stores nonsense: it looks at no kernel, disk or tap", async () => {
    await using vmm = await TestVmm.ready();
    const nonsense = { payload: { kernel: "/no" }, disks: [{ path: "/no" }], net: [{ tap: "no0", num_queues: 7 }] };
    expect((await vmm.put("vm.create", nonsense)).status).toBe(204);
    expect(await vmm.info()).toMatchObject({ state: "Created", config: nonsense });
  });

  test("a second one is an error", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.put("vm.create", MINIMAL);
    expect(await vmm.put("vm.create", MINIMAL)).toMatchObject({
      status: 500,
      chain: ["Error from API", "The VM could not be created", "VM is already created"],
    });
  });

  test("one that fails leaves its config behind: a socket is for serial only", async () => {
    await using vmm = await TestVmm.ready();
    const config = { ...MINIMAL, console: { mode: "Socket", socket: "c.sock" } };
    expect((await vmm.put("vm.create", config)).status).toBe(500);
    expect((await vmm.put("vm.create", MINIMAL)).chain).toContain("VM is already created");
  });

  test("opens the consoles and cuts their files; a reboot cuts them again", async () => {
    await using vmm = await TestVmm.ready({}, undefined, (at) => writeFileSync(`${at}/serial`, "old"));
    const serial = vmm.directory.join("serial");
    await vmm.put("vm.create", { ...MINIMAL, serial: { mode: "File", file: "serial" } });
    expect(statSync(serial).size).toBe(0);
    expect((await vmm.put("vm.boot")).status).toBe(204);
    writeFileSync(serial, "of the first boot");
    await vmm.put("vm.reboot");
    expect(statSync(serial).size).toBe(0);
  });

  test("needs the third Landlock ABI for Landlock, rules that can be, and one for the tap at the boot", async () => {
    const create = async (landlockAbi: number, path: string, access = "r") => {
      await using vmm = await TestVmm.ready({ landlockAbi });
      return (await vmm.put("vm.create", { ...MINIMAL, landlock_enable: true, landlock_rules: [{ path, access }] }))
        .status;
    };
    expect(await create(2, "/tmp")).toBe(500);
    expect(await create(3, "/tmp/not/there")).toBe(500);
    expect(await create(3, "/tmp", "x")).toBe(500);
    expect(await create(3, "/tmp", "rw")).toBe(204);
    await using vmm = await TestVmm.ready({ landlockAbi: 3 });
    const boot = (rules: VmConfig["landlock_rules"] & object) =>
      vmm
        .put("vm.create", { ...MINIMAL, net: [{ tap: "lo" }], landlock_enable: true, landlock_rules: rules })
        .then(() => vmm.put("vm.boot"));
    // The loopback interface stands for one that is there; no tap is made.
    expect((await boot([{ path: "/tmp", access: "r" }])).chain?.join()).toContain("tun_flags");
  });
});

describe("vm.boot", () => {
  const faults: [name: string, config: VmConfig, words: string][] = [
    ["no payload", { payload: {} }, "No kernel"],
    ["kernel and firmware", { payload: { kernel: KERNEL, firmware: KERNEL } }, "both"],
    ["a missing kernel", { payload: { kernel: "/no/kernel" } }, "No such file"],
    ["a missing initramfs", { payload: { kernel: KERNEL, initramfs: "/no" } }, "No such file"],
    ["a missing disk", disk("/no/disk"), "No such file"],
    ["a long serial", disk(KERNEL, { readonly: true, serial: "x".repeat(21) }), "20 bytes"],
    ["more disk queues than vCPUs", disk(KERNEL, { readonly: true, num_queues: 2 }), "queues"],
    ["an odd queue size", disk(KERNEL, { readonly: true, queue_size: 100 }), "queue size"],
    ["a type that is not the content's", disk(KERNEL, { readonly: true, image_type: "Qcow2" }), "does not match"],
    ["fewer vCPUs at most than at boot", { ...MINIMAL, cpus: { boot_vcpus: 2, max_vcpus: 1 } }, "vCPUs"],
    [
      "a topology of another size",
      { ...MINIMAL, cpus: { boot_vcpus: 1, max_vcpus: 1, topology: { packages: 2 } } },
      "topology",
    ],
    ["shared and mergeable", { ...MINIMAL, memory: { size: 2 ** 20, shared: true, mergeable: true } }, "mergeable"],
    ["a small MTU", { ...MINIMAL, net: [{ tap: "t", mtu: 1000 }] }, "MTU"],
    ["an address without mask", { ...MINIMAL, net: [{ tap: "t", ip: "10.0.0.1" }] }, "mask"],
    ["an odd number of queues", { ...MINIMAL, net: [{ tap: "t", num_queues: 3 }] }, "queues"],
    ["an id of the program's own", disk(KERNEL, { readonly: true, id: "__root" }), "__root"],
    ["the same id twice", { ...disk(KERNEL, { readonly: true }), net: [{ id: "root", tap: "t" }] }, "not unique"],
    ["a reserved cid", { ...MINIMAL, vsock: { cid: 2, socket: "v" } }, "cid 2"],
    ["a balloon as big as the RAM", { ...MINIMAL, balloon: { size: 2 ** 29 } }, "too big"],
    [
      "virtiofs without shared memory",
      { ...MINIMAL, fs: [{ tag: "t", socket: "s", num_queues: 1, queue_size: 128 }] },
      "shared memory",
    ],
    ["pmem that is not a multiple of 2 MiB", { ...MINIMAL, pmem: [{ file: KERNEL }] }, "2 MiB"],
    ["a uuid that is none", { ...MINIMAL, platform: { system_uuid: "x" } }, "uuid"],
  ];
  test.each(faults)("refuses %s", async (_name, config, words) => {
    await using vmm = await TestVmm.ready();
    expect((await vmm.put("vm.create", config)).status).toBe(204);
    const { status, chain } = await vmm.put("vm.boot");
    expect(status).toBe(500);
    expect(chain?.slice(0, 2)).toEqual(["Error from API", "The VM could not boot"]);
    expect(chain?.join()).toContain(words);
    // Of a pair only the first event, and the process lives.
    expect(vmm.story()).toEqual(["vmm/starting", "vm/booting"]);
    expect(await vmm.info()).toMatchObject({ state: "Created" });
  });

  test("after v53 a config that is wrong in itself is 400", async () => {
    await using vmm = await TestVmm.ready({ version: "v54.0" });
    await vmm.put("vm.create", { payload: {} });
    expect((await vmm.put("vm.boot")).status).toBe(400);
  });

  test("shows ids and defaults; memory and PCI slots; unset latencies as 2^64-1", async () => {
    await using vmm = await TestVmm.ready();
    const disks = [
      { path: KERNEL, readonly: true },
      { id: "root", path: KERNEL, readonly: true },
    ];
    await vmm.boot({ ...MINIMAL, disks, pmem: null, balloon: { size: 2 ** 20 }, console: { mode: "Off" } });
    expect(await vmm.info()).toMatchObject({
      state: "Running",
      memory_actual_size: 2 ** 29,
      config: {
        cpus: { boot_vcpus: 1, max_vcpus: 1, nested: true, core_scheduling: "Vm" },
        memory: { size: 2 ** 29, thp: true, shared: false, hotplug_method: "Acpi" },
        disks: [
          { id: "_disk0", num_queues: 1, queue_size: 128, image_type: "Unknown", sparse: true },
          { id: "root", serial: null, lock_granularity: "ByteRange" },
        ],
        rng: { src: "/dev/urandom" },
        serial: { mode: "Null" },
        console: { mode: "Off" },
        pvpanic: false,
      },
      device_tree: { _disk0: { pci_bdf: "0000:00:01.0" }, root: { pci_bdf: "0000:00:02.0" } },
    });
    const counters = (await vmm.get("vm.counters")).text;
    expect(counters).toContain('"read_latency_min":18446744073709551615');
    expect(Object.keys(JSON.parse(counters))).toEqual(["_disk0", "root"]);
  });

  test("a disk has many readers or one writer, as long as the machine lives", async () => {
    await using first = await TestVmm.ready();
    await using second = await TestVmm.ready();
    const file = first.directory.join("disk");
    writeFileSync(file, "x".repeat(4096));
    await first.boot(disk(file, { readonly: true }));
    await second.put("vm.create", disk(file, { readonly: true }));
    expect((await second.put("vm.boot")).status).toBe(204);
    await second.put("vm.delete");
    await second.put("vm.create", disk(file));
    expect(await second.put("vm.boot")).toMatchObject({
      status: 500,
      chain: expect.arrayContaining(["DiskLockError"]),
    });
    await first.put("vm.shutdown");
    expect((await second.put("vm.boot")).status).toBe(204);
  });

  test.skipIf(process.getuid?.() !== 0)("without CAP_NET_ADMIN a tap must be there", async () => {
    await using vmm = new TestVmm({}, ["--version"]);
    await vmm.end();
    const uid = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
    const child = Bun.spawn([...uid, vmm.program.program, ...API], { cwd: vmm.directory.path });
    try {
      while ((await vmm.get("vmm.ping").catch(() => null)) === null);
      await vmm.put("vm.create", { ...MINIMAL, net: [{ tap: "hype-no0" }] });
      expect((await vmm.put("vm.boot")).chain?.at(-1)).toBe("Operation not permitted (os error 1)");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  });

  test("a vsock socket that is there makes it fail; a clean end removes its own", async () => {
    await using vmm = await TestVmm.ready({}, undefined, (at) => writeFileSync(`${at}/v.sock`, ""));
    await vmm.put("vm.create", { ...MINIMAL, vsock: { cid: 3, socket: "v.sock" } });
    expect((await vmm.put("vm.boot")).chain?.join()).toContain("Address already in use");
    rmSync(vmm.directory.join("v.sock"));
    expect((await vmm.put("vm.boot")).status).toBe(204);
    await vmm.put("vm.shutdown");
    expect(existsSync(vmm.directory.join("v.sock"))).toBe(false);
  });
});

describe("the states", () => {
  test("booted, paused, resumed, shut down, booted again, deleted: each wrong step is an error", async () => {
    await using vmm = await TestVmm.ready();
    const status = async (name: string) => (await vmm.put(name)).status;
    expect(await status("vm.delete")).toBe(204); // nothing is there: fine
    await vmm.boot();
    expect(await status("vm.boot")).toBe(500);
    expect(await status("vm.resume")).toBe(500);
    expect(await status("vm.pause")).toBe(204);
    expect((await vmm.info()).state).toBe("Paused");
    expect(await status("vm.pause")).toBe(500);
    expect(await status("vm.resume")).toBe(204);
    expect(await status("vm.power-button")).toBe(204);
    expect(await status("vm.nmi")).toBe(204);
    expect(await status("vm.shutdown")).toBe(204);
    expect((await vmm.info()).state).toBe("Created");
    expect((await vmm.get("vm.counters")).status).toBe(500);
    expect(await status("vm.shutdown")).toBe(500);
    expect(await status("vm.boot")).toBe(204);
    expect(await status("vm.delete")).toBe(204);
    expect((await vmm.get("vm.info")).status).toBe(404);
    expect(await vmm.put("vmm.shutdown")).toMatchObject({ status: 200, text: "" });
    expect((await vmm.end()).code).toBe(0);
    expect(vmm.story()).toEqual([
      "vmm/starting",
      ...["vm/booting", "vm/booted"],
      ...["vm/resuming", "vm/pausing", "vm/paused", "vm/pausing", "vm/resuming", "vm/resumed", "vm/shutdown"],
      ...["vm/booting", "vm/booted", "vm/shutdown", "vm/deleted", "vmm/shutdown"],
    ]);
  });

  test("vm.resize: the balloon takes from what the guest has", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.boot({ ...MINIMAL, balloon: { size: 0 } });
    expect((await vmm.put("vm.resize", { desired_balloon: 2 ** 28 })).status).toBe(204);
    expect((await vmm.info()).memory_actual_size).toBe(2 ** 28);
    expect((await vmm.put("vm.resize", { desired_vcpus: 2 })).status).toBe(500);
  });
});

describe("what the guest does", () => {
  const END = ["vm/shutdown", "vm/deleted", "vmm/shutdown"];

  test("power-off: deleted, exit 0, API socket gone", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.boot();
    await vmm.program.guest(vmm.pid, "power-off");
    expect((await vmm.end()).code).toBe(0);
    expect(vmm.story().slice(-3)).toEqual(END);
    expect(existsSync(vmm.socket)).toBe(false);
  });

  test("power-off with --no-shutdown: the process stays, and boots again", async () => {
    await using vmm = await TestVmm.ready({}, [...API, ...EVENTS, "--no-shutdown"]);
    await vmm.boot();
    await vmm.program.guest(vmm.pid, "power-off");
    expect((await vmm.info()).state).toBe("Created");
    expect(vmm.story().at(-1)).toBe("vm/shutdown");
    expect((await vmm.put("vm.boot")).status).toBe(204);
  });

  test("reset: booted again in the same process", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.boot();
    await vmm.program.guest(vmm.pid, "reset");
    expect((await vmm.info()).state).toBe("Running");
    expect(vmm.story().slice(-2)).toEqual(["vm/rebooting", "vm/rebooted"]);
  });

  test("a reset that cannot boot again ends the process with 1", async () => {
    await using vmm = await TestVmm.ready();
    const file = vmm.directory.join("disk");
    writeFileSync(file, "x".repeat(4096));
    await vmm.boot(disk(file, { readonly: true }));
    rmSync(file);
    await vmm.program.guest(vmm.pid, "reset");
    expect((await vmm.end()).code).toBe(1);
  });

  test("panic: an event, and the VM runs on", async () => {
    await using vmm = await TestVmm.ready();
    await vmm.boot({ ...MINIMAL, pvpanic: true });
    await vmm.program.guest(vmm.pid, "panic");
    expect((await vmm.info()).state).toBe("Running");
    expect(vmm.events().at(-1)).toMatchObject({ source: "guest", event: "panic", properties: { event: "panic" } });
  });

  test("a vCPU error: exit 0 as well, only the log tells", async () => {
    await using vmm = await TestVmm.ready({}, [...API, ...EVENTS, "--log-file", "log"]);
    await vmm.boot();
    await vmm.program.guest(vmm.pid, "die");
    expect((await vmm.end()).code).toBe(0);
    expect(readFileSync(vmm.directory.join("log"), "utf8")).toContain("VCPU generated error");
    expect(vmm.story().slice(-3)).toEqual(END);
  });

  test("a program may stand for it: its output, the power button, pause, and its death with the VMM's", async () => {
    const guestCommand = [
      "/bin/sh",
      "-c",
      "echo $$ >pid.new; mv pid.new pid; trap 'exit 0' TERM; while :; do sleep 0.05; done",
    ];
    await using vmm = await TestVmm.ready({ guestCommand });
    await vmm.boot();
    await vmm.until(() => existsSync(vmm.directory.join("pid")));
    const pid = readFileSync(vmm.directory.join("pid"), "utf8").trim();
    await vmm.put("vm.pause");
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^State:\s+T/m);
    await vmm.put("vm.resume");
    await vmm.put("vm.power-button");
    expect((await vmm.end()).code).toBe(0);
    expect(vmm.story().slice(-3)).toEqual(END);

    await using killed = await TestVmm.ready({ guestCommand });
    await killed.boot();
    await killed.until(() => existsSync(killed.directory.join("pid")));
    const orphan = readFileSync(killed.directory.join("pid"), "utf8").trim();
    await killed.end("SIGKILL");
    while (existsSync(`/proc/${orphan}`) && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${orphan}/status`, "utf8")))
      await new Promise((next) => setImmediate(next));
  });
});
