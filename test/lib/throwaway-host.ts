import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findProcesses } from "../../src/host/find-processes.ts";
import { DIRECTORY_MARK, endProcess, identify } from "../../src/host/process.ts";
import { temporaryDirectory } from "./temporary.ts";

/** Whether a host of one's own can be made here: root, who may mount and unshare. */
export const canMakeHosts = process.getuid?.() === 0;

/** These would reach through to the kernel of the machine, or write state that nobody compares. */
const MASKED_UNITS = [
  ...[
    "systemd-sysctl",
    "systemd-binfmt",
    "systemd-modules-load",
    "systemd-random-seed",
    "systemd-update-utmp",
    "systemd-udevd",
  ],
  ...[
    "systemd-udev-trigger",
    "systemd-remount-fs",
    "systemd-networkd",
    "systemd-resolved",
    "systemd-timesyncd",
    "systemd-journal-flush",
  ],
].map((name) => `${name}.service`);
const MASKED_MOUNTS = ["dev-hugepages", "sys-kernel-debug", "sys-kernel-tracing", "sys-fs-fuse-connections"].map(
  (name) => `${name}.mount`,
);

/** Files that programs of the system rewrite as they go: locks, backups of accounts, caches, logs. */
const VOLATILE = [
  /^\/etc\/\.pwd\.lock$/,
  /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/,
  /^\/etc\/machine-id$/,
  /^\/var\/(cache|log\/(journal|wtmp|lastlog|btmp)|lib\/systemd|tmp)(\/|$)/,
  /^\/(tmp|run|mnt)(\/|$)/,
];

export type Ran = { code: number; stdout: string; stderr: string };

/**
 * A machine of its own for one test: this machine's file system with every change kept in memory, its own network, processes, mounts, users
 * and cgroups; with systemd as its init where asked for. Nothing of it is left afterwards.
 */
export class ThrowawayHost implements AsyncDisposable {
  readonly #directory = temporaryDirectory();
  readonly #cgroup: string | null;
  #holder = -1;
  #before = new Map<string, string>();

  private constructor() {
    const mount = /^\d+ \d+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
    this.#cgroup = mount ? join(mount, `hype-test-${crypto.randomUUID().slice(0, 8)}`) : null;
  }

  /** @param prepare shell lines run before the host starts, `$R` being its root */
  static async start({ systemd = false, prepare = "" } = {}): Promise<ThrowawayHost> {
    const host = new ThrowawayHost();
    try {
      await host.#start(systemd, prepare);
      return host;
    } catch (thrown) {
      await host[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async #start(systemd: boolean, prepare: string): Promise<void> {
    const work = this.#directory.path;
    if (this.#cgroup) mkdirSync(this.#cgroup);
    if ((await Bun.spawn(["mkfifo", join(work, "ready")]).exited) !== 0) throw new Error("no mkfifo");
    writeFileSync(join(work, "start.sh"), startScript(work, systemd, prepare));
    const joinCgroup = this.#cgroup ? `echo $$ > ${this.#cgroup}/cgroup.procs; ` : "";
    const unshare = "exec unshare --mount --net --pid --ipc --uts --cgroup --fork --kill-child";
    const child = Bun.spawn(["bash", "-c", `${joinCgroup}${unshare} bash ${work}/start.sh`], {
      env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", [DIRECTORY_MARK]: work },
      stdin: "ignore",
      stdout: Bun.file(join(work, "output")),
      stderr: Bun.file(join(work, "output")),
    });
    const ready = Bun.spawn(["cat", join(work, "ready")], { stdout: "pipe" });
    const first = await Promise.race([new Response(ready.stdout).text(), child.exited.then(() => "ended")]);
    ready.kill();
    await ready.exited;
    if (first.trim() !== "ready")
      throw new Error(`the host did not start: ${await Bun.file(join(work, "output")).text()}`);
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    this.#holder = Number(children);
    this.#before = this.#upper();
  }

  /** The same place as the host's `path`, seen from here. */
  path(path: string): string {
    return `/proc/${this.#holder}/root${path}`;
  }

  /** Runs a program inside, with nothing of this process' environment. */
  async run(argv: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    const inside = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", ...env };
    const words = Object.entries(inside).map(([name, value]) => `${name}=${value}`);
    return await finish([
      "nsenter",
      "-t",
      String(this.#holder),
      "-a",
      "-r",
      "-w",
      "/usr/bin/env",
      "-i",
      ...words,
      ...argv,
    ]);
  }

  /** Runs a program of this machine, with this machine's files, that shares nothing with the host but its network. */
  async onItsNetwork(argv: readonly string[]): Promise<Ran> {
    return await finish(["nsenter", "-t", String(this.#holder), "--net", ...argv]);
  }

  async ok(argv: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, env);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Paths that differ now from what they were at the start, byte for byte, mode and owner included; `/run` too. Sorted. */
  changes(): string[] {
    const now = this.#upper();
    const paths = new Set([...now.keys(), ...this.#before.keys()]);
    return [...paths].filter((path) => now.get(path) !== this.#before.get(path)).sort();
  }

  /** What stands in the memory above this machine's file system, and differs from it. */
  #upper(): Map<string, string> {
    const found = new Map<string, string>();
    const upper = this.path("/mnt/upper");
    const walk = (relative: string) => {
      for (const name of readdirSync(join(upper, relative))) {
        const path = `${relative}/${name}`;
        if (VOLATILE.some((pattern) => pattern.test(path))) continue;
        const here = describe(join(upper, path));
        if (here !== describe(path)) found.set(path, here);
        if (here.startsWith("directory")) walk(path);
      }
    };
    walk("");
    for (const name of readdirSync(this.path("/run")))
      if (name.startsWith("overhyped")) found.set(`/run/${name}`, describe(this.path(`/run/${name}`)));
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of findProcesses(this.#directory.path)) await endProcess(process, 0);
    const holder = identify(this.#holder);
    if (this.#holder > 0 && holder) await endProcess(holder, 0);
    if (this.#cgroup) removeCgroups(this.#cgroup);
    this.#directory[Symbol.dispose]();
  }
}

async function finish(argv: string[]): Promise<Ran> {
  const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Kind, mode, owner and content. A whiteout of overlayfs is a character device 0:0. */
function describe(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return "nothing";
  if (found.isCharacterDevice() && found.rdev === 0) return "nothing";
  const owner = `${(found.mode & 0o7777).toString(8)} ${found.uid}:${found.gid}`;
  if (found.isDirectory()) return `directory ${owner}`;
  if (found.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  return `file ${owner} ${Bun.hash(readFileSync(path))}`;
}

function removeCgroups(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroups(join(path, entry.name));
  rmdirSync(path);
}

function startScript(work: string, systemd: boolean, prepare: string): string {
  const links = [...MASKED_UNITS, ...MASKED_MOUNTS]
    .map((unit) => `ln -sf /dev/null $R/etc/systemd/system/${unit}`)
    .join("\n");
  const common = `set -e
mount --make-rprivate /
mkdir ${work}/t
mount -t tmpfs tmpfs ${work}/t
T=${work}/t R=${work}/t/root
mkdir $T/upper $T/work $R
mount -t overlay overlay -o lowerdir=/,upperdir=$T/upper,workdir=$T/work $R
mount -t proc proc $R/proc
mount -t sysfs -o ro sysfs $R/sys
mount --rbind /dev $R/dev
# As every distribution has it, whatever this machine does.
mknod -m 666 $T/tun c 10 200 && chmod 666 $T/tun && mount --bind $T/tun $R/dev/net/tun
mount -t tmpfs -o mode=755 tmpfs $R/run
mount -t tmpfs -o mode=1777 tmpfs $R/tmp
mount -t tmpfs -o mode=755 tmpfs $R/mnt
mkdir $R/mnt/upper $R/mnt/work
mount --bind $T/upper $R/mnt/upper
mount --bind ${work} $R/mnt/work
mount -t tmpfs -o mode=755 tmpfs $R/sys/fs/cgroup
mount -t cgroup2 cgroup2 $R/sys/fs/cgroup || true
mount -t tmpfs tmpfs $R/var/log/journal 2>/dev/null || true
ip link set lo up
${prepare}
`;
  // bash takes in the children of others, as an init must.
  if (!systemd) return `${common}exec chroot $R bash -c 'echo ready > /mnt/work/ready; sleep infinity & wait $!'\n`;
  return `${common}
: > $R/etc/machine-id
${links}
cat > $R/etc/systemd/system/hype-test.target <<'END'
[Unit]
Requires=basic.target hype-test-ready.service
AllowIsolate=yes
END
cat > $R/etc/systemd/system/hype-test-ready.service <<'END'
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo ready > /mnt/work/ready'
END
exec chroot $R /usr/bin/env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=hype-test.target
`;
}
