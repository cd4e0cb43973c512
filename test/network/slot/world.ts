import { join } from "node:path";
import type { EgressPolicy } from "../../../src/contract/index.ts";
import { type Attachment, type AttachmentRecord, INSIDE } from "../../../src/network/network.ts";
import type { Probe } from "../../fake/net-probe.ts";
import { PrivateHost, type Talker } from "../../lib/private-host.ts";

const FAKE = join(import.meta.dir, "..", "..", "fake");
const program = (name: string, ...argv: string[]) => [process.execPath, join(FAKE, name), ...argv];

export const INTERNET: EgressPolicy = { mode: "internet", allow: [], deny: [] };
export const policy = (mode: EgressPolicy["mode"], rest: Partial<EgressPolicy> = {}): EgressPolicy => ({
  mode,
  allow: [],
  deny: [],
  ...rest,
});

/** What a call of the slot program was refused with. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The slot network of one installation, in a process of its own inside the host. */
export class SlotProgram implements AsyncDisposable {
  readonly #waiting: Promise<unknown>[] = [];
  private constructor(readonly talker: Talker) {}

  static start(host: PrivateHost, env: Record<string, string> = {}): SlotProgram {
    const settings = {
      OVERHYPED_CONFIG: "/nonexistent",
      OVERHYPED_HOME: "/var/lib/slot-test",
      OVERHYPED_READY_SLOTS: "0",
      ...env,
    };
    return new SlotProgram(host.talk(program("slot-program.ts"), { env: settings }));
  }

  /** @throws Refused with the code and words of the error */
  async call<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    const before = this.#waiting.at(-1);
    const work = (async () => {
      await before?.catch(() => {});
      return JSON.parse(await this.talker.line()) as { value?: T; error?: { code: string; message: string } };
    })();
    this.#waiting.push(work);
    this.talker.say(JSON.stringify([method, ...args]));
    const { value, error } = await work;
    if (error) throw new Refused(error.code, error.message);
    return value as T;
  }

  async attach(
    slot: number,
    egress: EgressPolicy = INTERNET,
    options: { uid?: number; aborted?: boolean } = {},
  ): Promise<Attachment> {
    const vm = {
      id: `vm-${slot}`,
      name: `vm-${slot}`,
      ipAddress: `192.168.127.${slot}`,
      runDir: "/",
      logDir: "/",
      uid: options.uid ?? 0,
      egress,
    };
    return await this.call<Attachment>("attach", vm, options.aborted ?? false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.talker.kill();
  }
}

/** A guest: a network namespace whose only wire is the slot's tap. */
export class Guest {
  #probes: Talker;
  private constructor(
    private readonly host: PrivateHost,
    readonly namespace: string,
    private readonly wire: Talker,
  ) {
    this.#probes = host.talk(program("net-probe.ts"), { namespace });
  }

  static async plug(host: PrivateHost, slot: number, ports: number[] = [7070, 80]): Promise<Guest> {
    const namespace = `guest-${slot}`;
    await host.ok(["ip", "netns", "add", namespace]);
    const wire = host.talk(program("tap-guest.ts", `hype-${slot}`, namespace));
    if ((await wire.line()) !== "ready") throw new Error("the tap could not be opened");
    const commands = [
      `link set dev lo up`,
      `link set dev eth0 address ${INSIDE.mac}`,
      `link set dev eth0 up`,
      `address add ${INSIDE.address}/${INSIDE.prefix} dev eth0`,
      `route add default via ${INSIDE.gateway}`,
      `address add fd00::2/64 dev eth0 nodad`,
      `route add 2000::/3 via fd00::1 dev eth0`,
    ];
    await host.ok(["ip", "-n", namespace, "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
    if (ports.length > 0) await serve(host, `guest-${slot}`, ports, namespace);
    return new Guest(host, namespace, wire);
  }

  /** What became of a connection tried from inside. */
  async probe(probe: Probe): Promise<string> {
    this.#probes.say(JSON.stringify(probe));
    return await this.#probes.line();
  }

  /** Sends a frame as it is. */
  inject(frame: Buffer): void {
    this.wire.say(frame.toString("hex"));
  }

  /** Runs a program inside the guest. */
  async ok(argv: readonly string[]): Promise<string> {
    return await this.host.ok(argv, { namespace: this.namespace });
  }

  /** The machine ends: nobody holds its tap any more. */
  async unplug(): Promise<void> {
    await this.wire.kill();
    await this.#probes.kill();
  }
}

/** An echo server; `name` is what it answers with. @returns the lines it writes for what it gets */
export async function serve(host: PrivateHost, name: string, ports: number[], namespace?: string): Promise<Talker> {
  const talker = host.talk(program("echo-server.ts", name, ...ports.map(String)), namespace ? { namespace } : {});
  const line = JSON.parse(await talker.line()) as { ready?: string };
  if (line.ready !== name) throw new Error(`${name} does not serve`);
  return talker;
}

/** Probes from the host itself, or from one of its namespaces. */
export async function probeFrom(host: PrivateHost, probe: Probe, namespace?: string): Promise<string> {
  const { stdout } = await host.run(program("net-probe.ts"), {
    stdin: `${JSON.stringify(probe)}\n`,
    ...(namespace ? { namespace } : {}),
  });
  return stdout.trim();
}

/** Addresses of the internet's stand-in, public ones and such that no provider should route. */
export const ELSEWHERE = [
  "8.8.8.8",
  "9.9.9.9",
  "169.254.169.254",
  "10.20.30.40",
  "172.16.5.5",
  "192.168.9.9",
  "100.64.1.1",
  "198.51.100.7",
];
export const PORTS = [53, 80, 443, 853, 9000];

/** A host between a LAN (10.55.0.2) and an internet (50.0.0.2 and ELSEWHERE): where a guest may go and where it may not. */
export async function makeWorld(): Promise<{ host: PrivateHost; internet: Talker; lan: Talker; onHost: Talker }> {
  const host = await PrivateHost.start();
  await host.shell(`
    for n in lan internet; do ip netns add $n; ip -n $n link set lo up; done
    ip link add lan0 type veth peer name eth0 netns lan
    ip link add wan0 type veth peer name eth0 netns internet
    ip addr add 10.55.0.1/24 dev lan0; ip link set lan0 up
    ip addr add 50.0.0.1/24 dev wan0; ip link set wan0 up
    ip -6 addr add 2a00:50::1/64 dev wan0 nodad
    ip -n lan addr add 10.55.0.2/24 dev eth0; ip -n lan link set eth0 up; ip -n lan route add default via 10.55.0.1
    ip -n internet addr add 50.0.0.2/24 dev eth0; ip -n internet link set eth0 up; ip -n internet route add default via 50.0.0.1
    for a in ${ELSEWHERE.join(" ")}; do ip -n internet addr add $a/32 dev lo; done
    ip route add default via 50.0.0.2
  `);
  const [internet, lan, onHost] = await Promise.all([
    serve(host, "internet", PORTS, "internet"),
    serve(host, "lan", [53, 80, 9000], "lan"),
    serve(host, "host", [22, 53, 80, 7777, 9000]),
  ]);
  return { host, internet, lan, onHost };
}

export const recordOf = (slot: number): AttachmentRecord => ({
  mode: "slot",
  endpoint: `http://192.168.127.${slot}:7070`,
  processes: [],
  slot,
});
