import { configFault } from "./check-config.ts";
import { assignIds, deviceTree, devicesOf, type FullConfig, ramBytes, withDefaults } from "./config.ts";
import { applyLandlock, checkPayload, DeviceError, Devices, netCounters, openConsoles } from "./devices.ts";
import { ApiError, apiError } from "./errors.ts";
import type { EventMonitor } from "./event-monitor.ts";
import { type DiskCounters, type Guest, StubGuest } from "./guest.ts";
import type { Log } from "./log.ts";
import { type GuestDeed, type Moods, semverOf } from "./moods.ts";
import { QemuGuest } from "./qemu-guest.ts";
import type { Records } from "./records.ts";
import type { VmConfig, VmResize } from "./schema.ts";

type Surroundings = {
  moods: Moods;
  monitor: EventMonitor;
  log: Log;
  records: Records;
  noShutdown: boolean;
  /** Ends the process. */
  end(code: number): Promise<void>;
};
type Vm = { state: "Running" | "Paused" | "Created"; guest: Guest; devices: Devices; balloonBytes: number };

/** Latencies that nobody measured yet: 2^64-1, beyond what JSON.parse keeps exact. */
const UNSET = "18446744073709551615";
const NOTHING_YET: DiskCounters = { read_bytes: 0, read_ops: 0, write_bytes: 0, write_ops: 0 };

/** The state machine behind the API: what is configured, what runs, what its guest does. */
export class Vmm {
  #config: FullConfig | null = null;
  #vm: Vm | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly around: Surroundings) {}

  get end(): Surroundings["end"] {
    return this.around.end;
  }

  /** The VMM's one thread: calls, signals and what the guest does wait for each other. */
  inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  ping(): string {
    const { version } = this.around.moods;
    const features = ["io_uring", "kvm", "mshv"];
    return JSON.stringify({ build_version: version, version: semverOf(version), pid: process.pid, features });
  }

  info(): string {
    const config = this.#config;
    if (!config) throw apiError("The VM info is not available", "VM is not created");
    const vm = this.#vm;
    return JSON.stringify({
      config,
      state: vm?.state ?? "Created",
      memory_actual_size: ramBytes(config) - (vm?.balloonBytes ?? 0),
      ...(vm ? { device_tree: deviceTree(config) } : {}),
    });
  }

  async counters(): Promise<string> {
    const config = this.#config;
    const { guest } = this.#running("The VM info is not available");
    const disks = await guest.diskCounters();
    const latencies = Object.fromEntries(
      ["read", "write"].flatMap((of) => ["min", "max", "avg"].map((what) => [`${of}_latency_${what}`, UNSET])),
    );
    const counters = [
      ...(config?.net ?? []).map(({ id, tap }) => [id, netCounters(tap)]),
      ...(config?.disks ?? []).map(({ id }, at) => [id, { ...(disks[at] ?? NOTHING_YET), ...latencies }]),
    ];
    return JSON.stringify(Object.fromEntries(counters)).replaceAll(`"${UNSET}"`, UNSET);
  }

  /** Looks at nothing; but the consoles are opened, and a failure leaves the config behind. */
  create(config: VmConfig): void {
    const what = "The VM could not be created";
    if (this.#config) throw apiError(what, "VM is already created");
    this.#config = withDefaults(config);
    if (this.#config.serial.mode === "Socket" || this.#config.serial.mode === "Pty")
      this.around.records.violation("vm.create", `the stand-in has no serial port of mode ${this.#config.serial.mode}`);
    try {
      openConsoles(this.#config);
    } catch (thrown) {
      throw apiError(what, "Error creating console devices", ...chainOf(thrown));
    }
    try {
      applyLandlock(this.#config, this.around.moods.landlockAbi);
    } catch (thrown) {
      throw apiError(what, "Error applying Landlock", ...chainOf(thrown));
    }
  }

  async boot(): Promise<void> {
    const what = "The VM could not boot";
    if (this.#vm) throw apiError(what, "VM is already created");
    this.around.monitor.event("vm", "booting");
    if (!this.#config) throw apiError(what, "VM config is missing");
    await this.#boot(what, this.#config);
    this.around.monitor.event("vm", "booted");
    const { guestDoes } = this.around.moods;
    if (guestDoes) setImmediate(() => this.guestDoes(guestDoes));
  }

  async pause(): Promise<void> {
    const what = "The VM could not be paused";
    const vm = this.#running(what);
    this.around.monitor.event("vm", "pausing");
    if (vm.state === "Paused")
      throw apiError(
        what,
        "Cannot pause VM",
        "Failed to pause migratable component",
        "Invalid transition: InvalidStateTransition(Paused, Paused)",
      );
    await vm.guest.pause();
    vm.state = "Paused";
    this.around.monitor.event("vm", "paused");
  }

  async resume(): Promise<void> {
    const what = "The VM could not resume";
    const vm = this.#running(what);
    this.around.monitor.event("vm", "resuming");
    if (vm.state === "Running")
      throw apiError(
        what,
        "Cannot resume VM",
        "Failed to resume migratable component",
        "Invalid transition: InvalidStateTransition(Running, Running)",
      );
    await vm.guest.resume();
    vm.state = "Running";
    this.around.monitor.event("vm", "resumed");
  }

  async shutDown(): Promise<void> {
    const vm = this.#running("The VM could not shutdown");
    this.#vm = null;
    await this.#tearDown(vm);
    this.around.monitor.event("vm", "shutdown");
  }

  /** The same process makes the machine anew, with all files, taps and sockets opened again. */
  async reboot(): Promise<void> {
    const what = "The VM could not reboot";
    this.around.monitor.event("vm", "rebooting");
    const vm = this.#vm;
    if (!vm || !this.#config) throw apiError(what, "VM is not created");
    this.#vm = null;
    await this.#tearDown(vm);
    openConsoles(this.#config);
    await this.#boot(what, this.#config);
    this.around.monitor.event("vm", "rebooted");
  }

  async delete(): Promise<void> {
    if (!this.#config) return;
    if (this.#vm) await this.shutDown();
    this.#config = null;
    this.around.monitor.event("vm", "deleted");
  }

  async shutDownVmm(): Promise<void> {
    await this.delete();
    this.around.monitor.event("vmm", "shutdown");
  }

  async powerButton(): Promise<void> {
    await this.#running("Error triggering power button").guest.powerButton();
  }

  async nmi(): Promise<void> {
    await this.#running("Error triggering NMI").guest.nmi();
  }

  async resize({ desired_vcpus, desired_ram, desired_balloon }: VmResize): Promise<void> {
    const what = "The VM could not be resized";
    const config = this.#config;
    if (!config) throw apiError(what, "VM is not created");
    const vm = this.#vm;
    if (!vm) {
      if (desired_vcpus) config.cpus.boot_vcpus = desired_vcpus;
      if (desired_ram) config.memory.size = desired_ram;
      if (desired_balloon && config.balloon) config.balloon.size = desired_balloon;
      return;
    }
    this.around.monitor.event("vm", "resizing");
    if (desired_vcpus && desired_vcpus > config.cpus.max_vcpus)
      throw apiError(what, "Error from CPU manager", "Desired vCPU count exceeds max");
    if (desired_ram && desired_ram !== config.memory.size)
      throw apiError(what, "Memory manager error", "Insufficient memory for hotplug");
    if (desired_balloon !== null && desired_balloon !== undefined) {
      if (!config.balloon) throw apiError(what, "Error from device manager", "No virtio-balloon device");
      await vm.guest.setBalloon(ramBytes(config) - desired_balloon);
      vm.balloonBytes = desired_balloon;
    }
    this.around.monitor.event("vm", "resized");
  }

  /** A test speaks for the guest. */
  guestDoes(deed: GuestDeed): void {
    if (this.#vm) this.#deed(this.#vm, deed, "ordered");
  }

  #deed(vm: Vm, deed: GuestDeed, detail: string): void {
    void this.inTurn(async () => {
      if (this.#vm !== vm) return; // of a machine that is gone already
      const { monitor, log, noShutdown } = this.around;
      if (deed === "panic") return monitor.event("guest", "panic", { event: "panic" });
      if (deed === "reset") return await this.#rebootOrEnd();
      if (deed === "die") {
        log.error(`VCPU generated error: ${detail}`);
        process.stderr.write(`VCPU generated error: ${detail}\n`);
      }
      if (noShutdown && deed === "power-off") return await this.shutDown();
      await this.shutDownVmm();
      await this.around.end(0);
    });
  }

  /** A reboot that fails ends the process. */
  async #rebootOrEnd(): Promise<void> {
    try {
      await this.reboot();
    } catch (thrown) {
      process.stderr.write(
        `Error: Cloud Hypervisor exited with the following error:\n  ${(thrown as Error).message}\n`,
      );
      await this.around.end(1);
    }
  }

  async #boot(what: string, config: FullConfig): Promise<void> {
    const fault = configFault(config);
    if (fault) throw apiError(what, "Failed to validate config", fault);
    const { moods, monitor, log } = this.around;
    assignIds(config);
    let devices: Devices | null = null;
    try {
      devices = Devices.open(config, moods.guest === "stub");
      checkPayload(config);
      const vm: Vm = {
        state: "Running",
        guest: this.#guest((deed, detail) => this.#deed(vm, deed, detail)),
        devices,
        balloonBytes: 0,
      };
      await vm.guest.start(config);
      this.#vm = vm;
    } catch (thrown) {
      devices?.[Symbol.dispose]();
      if (thrown instanceof ApiError) throw thrown;
      if (!(thrown instanceof DeviceError)) log.error(`emulation: ${(thrown as Error).message}`);
      throw apiError(what, "Error from device manager", ...chainOf(thrown));
    }
    for (const { kind, device } of devicesOf(config))
      if (kind !== "vsock") monitor.event("virtio-device", "activated", { id: device.id ?? "" });
  }

  #guest(deed: (deed: GuestDeed, detail: string) => void): Guest {
    const { guest, guestCommand, qemu } = this.around.moods;
    return guest === "stub" ? new StubGuest(guestCommand, deed) : new QemuGuest(qemu, deed);
  }

  async #tearDown(vm: Vm): Promise<void> {
    await vm.guest.end();
    if (!this.around.moods.leaveSockets) vm.devices[Symbol.dispose]();
  }

  #running(what: string): Vm {
    if (!this.#vm) throw apiError(what, "VM is not running");
    return this.#vm;
  }
}

const chainOf = (thrown: unknown): string[] =>
  thrown instanceof DeviceError ? thrown.chain : [(thrown as Error).message];
