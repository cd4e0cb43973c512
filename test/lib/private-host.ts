import { existsSync } from "node:fs";
import { RUN_MARK } from "./leftovers.ts";

/** Whether a host of one's own can be made here: root, who may unshare. */
export const canMakePrivateHosts = process.getuid?.() === 0 && existsSync("/dev/net/tun");

/** By its path: a test may hide programs from those it runs. */
const NSENTER = Bun.which("nsenter") ?? "nsenter";

export type Ran = { code: number; stdout: string; stderr: string };

/** A program that runs inside and talks in lines; ended with its host at the latest. */
export type Talker = AsyncDisposable & {
  readonly pid: number;
  /** The next line it writes. Rejects when it ends without one, with what it said on standard error. */
  line(): Promise<string>;
  /** Writes a line to its standard input. */
  say(text: string): void;
  kill(signal?: NodeJS.Signals): Promise<void>;
};

/**
 * A host with interfaces, routes, rules and named network namespaces of its own, for tests that must not touch this machine's: a network and a
 * mount namespace around programs of this machine. Everything in it dies with it.
 */
export class PrivateHost implements AsyncDisposable {
  readonly #talkers = new Set<Talker>();
  private constructor(
    readonly pid: number,
    private readonly child: Bun.Subprocess,
    private readonly env: Record<string, string>,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<PrivateHost> {
    const runMark = process.env[RUN_MARK];
    const environment = {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin",
      LANG: "C",
      ...(runMark ? { [RUN_MARK]: runMark } : {}),
      ...env,
    };
    // Where /run/netns is not there, all of /run is hidden rather than a directory made in the machine's own.
    const names = existsSync("/run/netns")
      ? "mount -t tmpfs tmpfs /run/netns"
      : "mount -t tmpfs tmpfs /run; mkdir /run/netns";
    // A tap is opened by users too, as udev has it everywhere; not so on every machine that runs tests.
    const tun = "mount -t tmpfs tmpfs /dev/net; mknod -m 666 /dev/net/tun c 10 200";
    // /sys shows the interfaces of the namespace it was mounted in; the cgroups below it stay the machine's.
    const held = "/run/netns/.cgroup";
    const sys = `mkdir ${held}; mount --rbind /sys/fs/cgroup ${held}; mount -t sysfs sysfs /sys; mount --rbind ${held} /sys/fs/cgroup; umount -R -l ${held}; rmdir ${held}`;
    const script = `set -e; ${names}; ${tun}; ${sys}; ip link set lo up; echo ready; exec sleep infinity`;
    const child = Bun.spawn(["unshare", "--net", "--mount", "sh", "-c", script], {
      env: environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const reader = child.stdout.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    if (first.trim() !== "ready") throw new Error(`no private host: ${await new Response(child.stderr).text()}`);
    return new PrivateHost(child.pid, child, environment);
  }

  /** The command that runs `argv` inside; `namespace`: in that one of the host's named network namespaces. */
  inside(argv: readonly string[], namespace: string | null = null): string[] {
    const enter = [NSENTER, `--target=${this.pid}`, "--mount", "--net"];
    return namespace === null ? [...enter, ...argv] : [...enter, NSENTER, `--net=/run/netns/${namespace}`, ...argv];
  }

  async run(
    argv: readonly string[],
    options: { namespace?: string; stdin?: string; env?: Record<string, string> } = {},
  ): Promise<Ran> {
    const child = Bun.spawn(this.inside(argv, options.namespace), {
      env: { ...this.env, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Runs what must succeed. */
  async ok(argv: readonly string[], options: Parameters<PrivateHost["run"]>[1] = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Lines of shell, each of which must succeed. */
  async shell(script: string): Promise<string> {
    return await this.ok(["sh", "-euc", script]);
  }

  /** Starts a program that talks in lines. */
  talk(argv: readonly string[], options: { namespace?: string; env?: Record<string, string> } = {}): Talker {
    const child = Bun.spawn(this.inside(argv, options.namespace), {
      env: { ...this.env, ...options.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const stderr = new Response(child.stderr).text();
    const reader = child.stdout.getReader();
    let held = "";
    const talker: Talker = {
      pid: child.pid,
      async line() {
        while (!held.includes("\n")) {
          const { value, done } = await reader.read();
          if (done) throw new Error(`${argv.join(" ")} ended with ${await child.exited}: ${await stderr}`);
          held += new TextDecoder().decode(value);
        }
        const end = held.indexOf("\n");
        const line = held.slice(0, end);
        held = held.slice(end + 1);
        return line;
      },
      say(text) {
        child.stdin.write(`${text}\n`);
        void child.stdin.flush();
      },
      kill: async (signal = "SIGKILL") => {
        child.kill(signal);
        await child.exited;
        this.#talkers.delete(talker);
      },
      [Symbol.asyncDispose]: () => talker.kill(),
    };
    this.#talkers.add(talker);
    return talker;
  }

  /** Names of what is there that this host did not begin with. */
  async remains(): Promise<{ links: string[]; namespaces: string[]; tables: string[] }> {
    const lines = (text: string) =>
      text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
    const links = lines(await this.ok(["ip", "-o", "link"])).map((line) => line.split(/[:@]\s*/)[1]?.trim() ?? "");
    return {
      links: links.filter((name) => !["lo", "ifb0", "ifb1"].includes(name)),
      namespaces: lines(await this.ok(["ls", "/run/netns"])),
      tables: lines(await this.ok(["nft", "list", "tables"])),
    };
  }

  /** Ends the talkers and the host; its namespaces go with the last process in them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const talker of this.#talkers) await talker.kill();
    this.child.kill("SIGKILL");
    await this.child.exited;
  }
}
