import { tmpdir } from "node:os";
import { endProcess, identify, type ProcessIdentity } from "../../../src/host/process.ts";
import type { Jail } from "../../../src/hypervisor/jail/jail.ts";
import { NoJail } from "../../../src/hypervisor/jail/no-jail.ts";

/** Root, who may unshare: a tap and the namespace around it are nobody else's to make. */
export const canMakeSlots = process.getuid?.() === 0;

/**
 * A named network namespace with `tap0` in it, as the slot network makes them, in a mount namespace of the test's own: neither is
 * seen from the machine, and both end with it.
 */
export class TestSlot implements AsyncDisposable {
  readonly namespace = "hype-2";

  private constructor(
    private readonly holder: ProcessIdentity,
    private readonly base: Jail,
  ) {}

  /** @param jail where the VMM is to live; the tap belongs to its user. */
  static async make(jail?: Jail): Promise<TestSlot> {
    const owner = jail?.uid == null ? "" : `user ${jail.uid} group ${jail.uid}`;
    const script = `set -e
      mount -t tmpfs tmpfs /run/netns
      mount -t tmpfs -o mode=755 tmpfs /dev/net
      mknod -m 666 /dev/net/tun c 10 200
      ip netns add hype-2
      ip -n hype-2 tuntap add tap0 mode tap ${owner}
      ip -n hype-2 link set tap0 up
      echo made; exec sleep infinity`;
    const child = Bun.spawn(["unshare", "--net", "--mount", "sh", "-c", `mkdir -p /run/netns; ${script}`], {
      env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", HYPE_DIRECTORY: `${tmpdir()}/hype-slot` },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const first = await child.stdout.getReader().read();
    const holder = identify(child.pid);
    if (!holder || new TextDecoder().decode(first.value) !== "made\n") throw new Error("no slot could be made");
    return new TestSlot(holder, jail ?? (await new NoJail("a test").make()));
  }

  /** The jail, entered through this slot's mount namespace: the one where its names exist. */
  get jail(): Jail {
    return {
      ...this.base,
      command: (argv, namespace, options) => {
        const inner = this.base.command(argv, namespace, options);
        const enter = ["nsenter", "--target", String(this.holder.pid), "--mount", "--"];
        // Entering a mount namespace changes the working directory to its root.
        return [
          "/bin/sh",
          "-c",
          'at=$PWD; exec "$@" "$at"',
          "sh",
          ...enter,
          "/bin/sh",
          "-c",
          back(inner.length),
          "sh",
          ...inner,
        ];
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endProcess(this.holder, 0);
  }
}

/** Goes to the directory named by the last of `count` + 1 arguments and becomes the others. */
function back(count: number): string {
  const words = Array.from({ length: count }, (_unused, index) => `"\${${index + 1}}"`).join(" ");
  return `cd "\${${count + 1}}" && exec ${words}`;
}
