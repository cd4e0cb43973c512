import { chownSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { HypeError } from "../../../src/contract/index.ts";
import { findProcesses } from "../../../src/host/find-processes.ts";
import { endProcess } from "../../../src/host/process.ts";
import { CloudHypervisorDriver } from "../../../src/hypervisor/cloud-hypervisor/driver.ts";
import { cloudHypervisorVersion } from "../../../src/hypervisor/cloud-hypervisor/version.ts";
import type { Machine, MachineSpec } from "../../../src/hypervisor/driver.ts";
import type { Jail } from "../../../src/hypervisor/jail/jail.ts";
import { Images } from "../../../src/image/images.ts";
import type { BootableImage } from "../../../src/image/types.ts";
import { silentLog } from "../../../src/log/log.ts";
import { type FakeCloudHypervisor, fakeCloudHypervisor, type Moods } from "../../lib/fake-cloud-hypervisor.ts";
import { TEST_IMAGE_DIR } from "../../lib/hype.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";
import { TestSlot } from "./slot.ts";
import { machineSpec } from "./spec.ts";

/** A real Cloud Hypervisor to run the driver's suite against; the stand-in of test/fake when not given. */
export const REAL_PROGRAM = process.env.OVERHYPED_TEST_CLOUD_HYPERVISOR ?? null;

/** The image of the check; null where none was built yet. */
export async function testImage(): Promise<BootableImage | null> {
  const images = new Images({ imageDir: TEST_IMAGE_DIR, kernel: null, initramfs: null }, silentLog);
  return images.list().some(({ is_default }) => is_default) ? await images.resolve(null) : null;
}

/** A driver, a slot and directories for one VM. */
export class World implements AsyncDisposable {
  readonly #machines: Machine[] = [];

  private constructor(
    readonly home: ReturnType<typeof temporaryDirectory>,
    readonly fake: FakeCloudHypervisor | null,
    readonly driver: CloudHypervisorDriver,
    readonly spec: MachineSpec,
    private readonly made: AsyncDisposableStack,
  ) {}

  /** @param moods of the stand-in, whose guest is none unless said; a test with a real program must not give any. */
  static async make(
    moods: Partial<Moods> | null = null,
    changes: Partial<MachineSpec> = {},
    jail?: Jail,
  ): Promise<World> {
    await using made = new AsyncDisposableStack();
    const home = made.use(temporaryDirectory());
    const standalone = jail?.uid != null; // that user may reach neither this checkout nor this Bun
    const fake =
      REAL_PROGRAM === null || moods !== null ? fakeCloudHypervisor({ guest: "stub", ...moods }, { standalone }) : null;
    if (fake) made.use(fake);
    const program = fake?.program ?? REAL_PROGRAM!;
    const slot = made.use(await TestSlot.make(jail));
    const image = fake ? null : await testImage();
    const files = image
      ? {
          ...{ kernel: image.kernel, initramfs: image.initramfs, rootfs: image.rootfs, memoryMb: 1024 },
          cmdline: "quiet panic=-1 hype.root=root",
        }
      : {};
    const spec = await machineSpec(home.path, { jail: slot.jail, ...files, ...changes });
    if (jail?.uid != null)
      for (const path of [spec.workDir, join(spec.logDir, "console.log")]) chownSync(path, jail.uid, jail.uid);
    const version = fake ? (moods?.version ?? "v53.0") : await cloudHypervisorVersion(program);
    const driver = new CloudHypervisorDriver(program, version, "a test", {
      landlockMissing: "a test",
      ...(moods?.start?.noSocket ? { socketDeadlineMs: 300 } : {}),
    });
    return new World(home, fake, driver, spec, made.move());
  }

  async start(signal: AbortSignal = new AbortController().signal): Promise<Machine> {
    return this.hold(await this.driver.start(this.spec, signal));
  }

  hold<T extends Machine | null>(machine: T): T {
    if (machine) this.#machines.push(machine);
    return machine;
  }

  async failure(signal?: AbortSignal): Promise<HypeError> {
    const thrown = await this.start(signal).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(HypeError);
    return thrown as HypeError;
  }

  /** The pid of the one program that was started last. */
  get pid(): number {
    return this.fake!.starts().at(-1)!.pid;
  }

  /** Nothing of a machine is left: no process, no socket, no file that another start would trip over. */
  expectNothingLeft(): void {
    expect(findProcesses(this.home.path)).toEqual([]);
    const { runDir, workDir } = this.spec;
    const files = [
      join(runDir, "api.sock"),
      join(runDir, "events"),
      join(runDir, "vmm.pid"),
      join(workDir, "api.sock"),
    ];
    expect(files.filter((file) => existsSync(file))).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines) machine.detach();
    for (const process of findProcesses(this.home.path)) await endProcess(process, 0);
    const violations = this.fake?.violations() ?? [];
    await this.made.disposeAsync();
    expect(violations).toEqual([]);
  }
}
