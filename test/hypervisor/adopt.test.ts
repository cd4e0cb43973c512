import { expect, test } from "bun:test";
import { identify, isAlive, type ProcessIdentity } from "../../src/host/process.ts";
import { adoptMachine } from "../../src/hypervisor/adopt.ts";
import { CloudHypervisorDriver } from "../../src/hypervisor/cloud-hypervisor/driver.ts";
import type { MachineRecord } from "../../src/hypervisor/driver.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** A process that stands for a VMM: what is adopted is told by its sockets. */
function vmm() {
  const child = Bun.spawn(["sleep", "600"]);
  return {
    identity: identify(child.pid) as ProcessIdentity,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
const record = (hypervisor: MachineRecord["hypervisor"], process: ProcessIdentity, runDir: string): MachineRecord => ({
  ...{ hypervisor, accelerator: "kvm", process, runDir },
});

test("a machine is taken up by the hypervisor it was started with, whichever this server has chosen", async () => {
  using directory = temporaryDirectory();
  await using process = vmm();
  using _qmp = Bun.listen({
    unix: directory.join("qmp.sock"),
    socket: {
      open: (socket) => void socket.write('{"QMP":{"version":{},"capabilities":[]}}\r\n'),
      data(socket, bytes) {
        for (const line of bytes.toString().trim().split("\n")) {
          const { id, execute } = JSON.parse(line) as { id: number; execute: string };
          socket.write(`${JSON.stringify({ return: execute === "query-status" ? { running: true } : {}, id })}\r\n`);
        }
      },
    },
  });
  const driver = new CloudHypervisorDriver("/no/such", "v53.0", "a test");
  const machine = await driver.adopt(record("qemu", process.identity, directory.path), directory.path);
  expect(await machine?.state()).toBe("running");
  machine?.detach();
  expect(isAlive(process.identity)).toBe(true);
});

test.each(["qemu", "cloud-hypervisor"] as const)(
  "a %s that cannot be steered is ended: null means dead",
  async (hypervisor) => {
    using directory = temporaryDirectory();
    await using process = vmm();
    expect(await adoptMachine(record(hypervisor, process.identity, directory.path), directory.path)).toBeNull();
    expect(isAlive(process.identity)).toBe(false);
  },
);

test.each(["qemu", "cloud-hypervisor"] as const)(
  "a %s whose pid is another process' now is left alone",
  async (hypervisor) => {
    using directory = temporaryDirectory();
    await using process = vmm();
    const stale = { ...process.identity, startTicks: process.identity.startTicks - 1 };
    expect(await adoptMachine(record(hypervisor, stale, directory.path), directory.path)).toBeNull();
    expect(isAlive(process.identity)).toBe(true);
  },
);
