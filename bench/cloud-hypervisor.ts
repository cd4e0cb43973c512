import { openSync } from "node:fs";
import { join } from "node:path";
import { endProcess, identify } from "../src/host/process.ts";
import { vmConfig } from "../src/hypervisor/cloud-hypervisor/config.ts";
import { CloudHypervisorDriver } from "../src/hypervisor/cloud-hypervisor/driver.ts";
import { vmmCommand } from "../src/hypervisor/cloud-hypervisor/command.ts";
import { machineSpec } from "../test/hypervisor/cloud-hypervisor/spec.ts";
import { canMakeSlots, TestSlot } from "../test/hypervisor/cloud-hypervisor/slot.ts";
import { fakeCloudHypervisor } from "../test/lib/fake-cloud-hypervisor.ts";
import { temporaryDirectory } from "../test/lib/temporary.ts";
import type { Row } from "./lib/row.ts";
import { median, spread } from "./lib/statistics.ts";

const ROUNDS = 15;

/**
 * What the driver adds to a start: it, against the same program started the same way by hand, asked ping, create and boot by bare
 * fetches as soon as it answers. The guest is left out on both sides.
 */
export async function cloudHypervisor(): Promise<Row[]> {
  if (!canMakeSlots) return [];
  const [ours, raw]: number[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    ours!.push(await withSpec(startByDriver));
    raw!.push(await withSpec(startByHand));
  }
  const overhead = median(ours!) - median(raw!);
  return [
    {
      what: "Cloud Hypervisor: driver's start, without the guest",
      ours: `${spread(ours!)} ms`,
      raw: `${spread(raw!)} ms`,
      figure: `${overhead.toFixed(1)} ms more`,
      target: "<= 60 ms more",
      met: overhead <= 60,
      n: ROUNDS,
    },
  ];
}

type Start = (program: string, spec: Awaited<ReturnType<typeof machineSpec>>) => Promise<() => Promise<void>>;

async function withSpec(start: Start): Promise<number> {
  using home = temporaryDirectory();
  using fake = fakeCloudHypervisor({ guest: "stub" });
  await using slot = await TestSlot.make();
  const spec = await machineSpec(home.path, { jail: slot.jail });
  const began = performance.now();
  const end = await start(fake.program, spec);
  const tookMs = performance.now() - began;
  await end();
  return tookMs;
}

const startByDriver: Start = async (program, spec) => {
  const driver = new CloudHypervisorDriver(program, "v53.0", "measured", { landlockMissing: "measured" });
  const machine = await driver.start(spec, new AbortController().signal);
  return () => machine.kill();
};

const startByHand: Start = async (program, spec) => {
  const log = openSync(join(spec.logDir, "raw.log"), "a");
  const child = Bun.spawn(vmmCommand(program, spec), { cwd: spec.workDir, stdin: "ignore", stdout: log, stderr: log });
  const call = (method: string, name: string, body?: object) =>
    fetch(`http://localhost/api/v1/${name}`, {
      unix: join(spec.workDir, "api.sock"),
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answered = await call("GET", "vmm.ping").then(
      (response) => response.ok,
      () => false,
    );
    if (answered) break;
    if (performance.now() > deadline) throw new Error("the stand-in does not answer");
    await Bun.sleep(1);
  }
  for (const [name, body] of [["vm.create", vmConfig(spec)], ["vm.boot"]] as const) {
    const response = await call("PUT", name, body);
    if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
  }
  return async () => {
    const identity = identify(child.pid);
    if (identity) await endProcess(identity, 0);
    await child.exited;
  };
};
