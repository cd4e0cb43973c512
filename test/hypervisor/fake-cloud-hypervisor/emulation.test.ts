import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, realpathSync, watch } from "node:fs";
import { join } from "node:path";
import { AGENT_LISTENING_LINE, TOKEN_OEM_PREFIX } from "../../../src/contract/index.ts";
import type { VmConfig } from "../../fake/cloud-hypervisor/schema.ts";
import { TEST_IMAGE_DIR } from "../../lib/hype.ts";
import { API, EVENTS, TestVmm } from "./vmm.ts";

const TIMEOUT_MS = 90_000;
const image = imageDirectory();
const isRoot = process.getuid?.() === 0;

/** The image of the check; null where none was built yet. */
function imageDirectory(): string | null {
  const named = join(TEST_IMAGE_DIR, "default");
  if (!existsSync(named)) return null;
  return realpathSync(join(TEST_IMAGE_DIR, readFileSync(named, "utf8").trim()));
}

const UID = 61_000;

/** Waits until a file holds a text. @throws Error with all of it when the program ends before */
async function appears(path: string, text: string, program: Bun.Subprocess): Promise<void> {
  const content = () => readFileSync(path, "latin1");
  while (!content().includes(text)) {
    if (program.exitCode !== null) throw new Error(content());
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = watch(path, () => resolve());
    if (content().includes(text)) resolve();
    void program.exited.then(() => resolve());
    await promise;
    watcher.close();
  }
}

/** The image's kernel with its BusyBox for an init that does one thing (kernel-parameters.txt: what stands behind `--` is init's). */
const doing = (script: string, from: string): VmConfig => ({
  payload: {
    kernel: join(from, "vmlinuz"),
    initramfs: join(from, "initramfs"),
    cmdline: `console=ttyS0 quiet rdinit=/bin/busybox -- sh -c "${script}"`,
  },
  memory: { size: 512 * 2 ** 20 },
  pvpanic: true,
  serial: { mode: "File", file: "serial" },
  console: { mode: "Off" },
});
const MODULES = "busybox mount -t proc p /proc; busybox mount -t sysfs s /sys; busybox modprobe pvpanic-pci";

describe.skipIf(image === null)("a guest in the emulation", () => {
  test(
    "that powers off: the process ends with 0",
    async () => {
      await using vmm = await TestVmm.ready({ guest: "qemu" });
      await vmm.boot(doing("echo 'I am here'; busybox poweroff -f", image ?? ""));
      expect((await vmm.end()).code).toBe(0);
      expect(vmm.story().slice(-3)).toEqual(["vm/shutdown", "vm/deleted", "vmm/shutdown"]);
      expect(readFileSync(vmm.directory.join("serial"), "utf8")).toContain("I am here");
    },
    TIMEOUT_MS,
  );

  test(
    "that resets: booted again in the same process, again and again; what it says goes to our output with Tty",
    async () => {
      await using vmm = await TestVmm.ready({ guest: "qemu" });
      await vmm.boot({ ...doing("echo 'I am here'; busybox reboot -f", image ?? ""), serial: { mode: "Tty" } });
      await vmm.until(() => vmm.story().filter((event) => event === "vm/rebooting").length === 2);
      const { stdout } = await vmm.end("SIGKILL");
      expect(stdout.match(/I am here/g)).toHaveLength(2);
      expect(vmm.story().slice(0, 6)).toEqual([
        ...["vmm/starting", "vm/booting", "vm/booted", "vm/rebooting", "vm/rebooted", "vm/rebooting"],
      ]);
    },
    TIMEOUT_MS,
  );

  test(
    "that panics: an event, and the VM is there still; paused, it does nothing",
    async () => {
      await using vmm = await TestVmm.ready({ guest: "qemu" });
      await vmm.boot(doing(`${MODULES}; echo c >/proc/sysrq-trigger`, image ?? ""));
      await vmm.put("vm.pause");
      expect((await vmm.info()).state).toBe("Paused");
      await vmm.put("vm.resume");
      await vmm.until(() => vmm.story().includes("guest/panic"));
      expect((await vmm.info()).state).toBe("Running");
      expect(readFileSync(vmm.directory.join("serial"), "utf8")).toContain("Kernel panic");
    },
    TIMEOUT_MS,
  );

  test(
    "whose VMM is killed dies with it",
    async () => {
      await using vmm = await TestVmm.ready({ guest: "qemu" });
      await vmm.boot(doing("busybox sleep 1000", image ?? ""));
      const guest = readFileSync(`/proc/${vmm.pid}/task/${vmm.pid}/children`, "utf8").trim();
      expect(readFileSync(`/proc/${guest}/cmdline`, "utf8")).toContain("vmlinuz");
      await vmm.end("SIGKILL");
      while (existsSync(`/proc/${guest}`) && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${guest}/status`, "utf8")))
        await new Promise((next) => setImmediate(next));
    },
    TIMEOUT_MS,
  );

  test("that cannot start: the emulation's own words", async () => {
    await using vmm = await TestVmm.ready({ guest: "qemu" });
    await vmm.put("vm.create", { payload: { kernel: "/etc/passwd" }, memory: { size: 2 ** 20 } });
    const { status, chain } = await vmm.put("vm.boot");
    expect(status).toBe(500);
    expect(chain?.at(-1)).toContain("qemu");
    expect((await vmm.info()).state).toBe("Created");
  });

  test.skipIf(!isRoot || !existsSync("/dev/net/tun"))(
    "of an unprivileged VMM in a network namespace: its tap, its disk, its OEM strings, its output into a file",
    async () => {
      await using vmm = new TestVmm({ guest: "qemu" }, ["--version"], undefined, { standalone: true });
      await vmm.end();
      const at = (name: string) => vmm.directory.join(name);
      const jailed = `set -e
        chown ${UID}:${UID} .
        mkdir image; mount --bind '${image}' image; mknod tun c 10 200; chmod 666 tun; mount --bind tun /dev/net/tun
        ip tuntap add tap0 mode tap user ${UID}; ip link set tap0 up
        exec setpriv --reuid ${UID} --regid ${UID} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`;
      const argv = ["unshare", "--net", "--mount", "sh", "-c", jailed, "sh", vmm.program.program, ...API, ...EVENTS];
      const child = Bun.spawn(argv, { cwd: vmm.directory.path, stdout: Bun.file(at("console")), stderr: "inherit" });
      try {
        while ((await vmm.get("vmm.ping").catch(() => null)) === null)
          if (child.exitCode !== null) throw new Error("ended");
        const ip = "ip=10.0.0.2::10.0.0.1:255.255.255.252:demo:eth0:off:10.0.0.1";
        await vmm.boot({
          payload: {
            kernel: "image/vmlinuz",
            initramfs: "image/initramfs",
            cmdline: `console=ttyS0 quiet panic=-1 hype.root=root ${ip}`,
          },
          cpus: { boot_vcpus: 2, max_vcpus: 2 },
          memory: { size: 2 ** 30 },
          disks: [{ id: "root", path: "image/rootfs.erofs", readonly: true, image_type: "Raw", serial: "root" }],
          net: [{ id: "net0", tap: "tap0", mac: "02:fc:00:00:00:01" }],
          platform: { oem_strings: [`${TOKEN_OEM_PREFIX}0123456789abcdef0123456789abcdef,with a comma`] },
          serial: { mode: "Tty" },
          console: { mode: "Off" },
        });
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        expect(status).toMatch(new RegExp(`^Uid:\\s+${UID}\\s+${UID}`, "m"));
        expect(status).toMatch(/^CapEff:\s+0+$/m);
        // The agent speaks once network and root are there and the token was found.
        await appears(at("console"), AGENT_LISTENING_LINE, child);
        const counters = JSON.parse((await vmm.get("vm.counters")).text) as Record<string, Record<string, number>>;
        expect(counters.root?.read_bytes).toBeGreaterThan(2 ** 20);
        expect(counters.net0?.tx_frames).toBeGreaterThan(0);
      } finally {
        child.kill("SIGTERM");
        expect(await child.exited).toBe(0);
      }
    },
    TIMEOUT_MS,
  );
});
