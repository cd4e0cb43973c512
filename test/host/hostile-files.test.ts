import { describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { boundLog } from "../../src/host/bounded-log.ts";
import { openRegular, pinSocket, removeTree, tailFile } from "../../src/host/files.ts";
import { findProcesses, namedProcesses } from "../../src/host/find-processes.ts";
import {
  DIRECTORY_MARK,
  endProcess,
  identify,
  isAlive,
  runsItsProgram,
  withExecutable,
} from "../../src/host/process.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** What a VMM that its guest took over may put into its directory, and what the server then must not do. */

const isRoot = process.getuid?.() === 0;
const STRANGER = 1_900_000_077;
type Place = { path: string; join(...parts: string[]): string };
const mkfifo = (path: string) => Bun.spawnSync(["mkfifo", path]);

describe("in the place of a file", () => {
  const things: [string, (place: Place, path: string) => void][] = [
    ["a link to another file", (place, path) => symlinkSync(place.join("secret"), path)],
    ["a FIFO nobody writes to", (_place, path) => mkfifo(path)],
    ["a directory", (_place, path) => mkdirSync(path)],
    ["a link to a device", (_place, path) => symlinkSync("/dev/zero", path)],
    ["a link to itself", (_place, path) => symlinkSync(path, path)],
  ];
  for (const [name, put] of things)
    test(`${name}: read as if there were none, and not written through`, () => {
      using directory = temporaryDirectory();
      writeFileSync(directory.join("secret"), "the secret".repeat(100));
      put(directory, directory.join("log"));
      expect(tailFile(directory.join("log"))).toBe("");
      expect(openRegular(directory.join("log"))).toBeNull();
      try {
        boundLog(directory.join("log"), 10)[Symbol.dispose]();
      } catch {
        // refused: as good
      }
      expect(readFileSync(directory.join("secret"), "utf8").length).toBe(1000);
      expect(existsSync(directory.join("log.1"))).toBe(false);
    });

  test("a log that becomes a link while it is bounded does not have the link's end cut", async () => {
    using directory = temporaryDirectory();
    const log = directory.join("log");
    using _bound = boundLog(log, 10);
    writeFileSync(directory.join("secret"), "the secret".repeat(100));
    symlinkSync(directory.join("secret"), directory.join("link"));
    renameSync(directory.join("link"), log);
    // A second log, bounded later, proves that the first one's events have been seen to.
    using _second = boundLog(directory.join("second"), 10);
    writeFileSync(directory.join("second"), "y".repeat(100));
    while (!existsSync(directory.join("second.1"))) await new Promise((next) => setImmediate(next));
    expect(readFileSync(directory.join("secret"), "utf8").length).toBe(1000);
  });
});

describe("in the place of a socket", () => {
  test("a socket of the directory's owner is connected to, also by a path too long for an address", async () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join("d".repeat(200)));
    using server = listen(directory.join("s"));
    renameSync(directory.join("s"), directory.join("d".repeat(200), "s"));
    using pinned = pinSocket(directory.join("d".repeat(200), "s"));
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = await Bun.connect({
      unix: pinned.path,
      socket: { data: (_socket, bytes) => resolve(bytes.toString()) },
    });
    expect(await promise).toBe("hello");
    socket.end();
    expect(server).toBeDefined();
  });

  test("a link to another program's socket is not followed", () => {
    using directory = temporaryDirectory();
    using _server = listen(directory.join("other"));
    symlinkSync(directory.join("other"), directory.join("s"));
    expect(() => pinSocket(directory.join("s"))).toThrow(expect.objectContaining({ code: "hypervisor_failed" }));
  });

  test.skipIf(!isRoot)("another user's socket in it is refused (skipped for users other than root)", () => {
    using directory = temporaryDirectory();
    using _server = listen(directory.join("s"));
    chownSync(directory.path, STRANGER, STRANGER);
    expect(() => pinSocket(directory.join("s"))).toThrow(/not a socket of the user/);
  });

  test("a file is no socket, and none is the caller's own affair", () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("s"), "");
    expect(() => pinSocket(directory.join("s"))).toThrow(/not a socket/);
    unlinkSync(directory.join("s"));
    expect(() => pinSocket(directory.join("s"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});

function listen(path: string): Disposable {
  const server = Bun.listen({ unix: path, socket: { open: (socket) => void socket.write("hello"), data() {} } });
  return { [Symbol.dispose]: () => server.stop(true) };
}

describe("removing its directory", () => {
  test("links are removed and not followed, whatever else lies there goes", async () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join("kept"));
    writeFileSync(directory.join("kept/file"), "kept");
    mkdirSync(directory.join("run/a/b"), { recursive: true });
    symlinkSync(directory.join("kept"), directory.join("run/a/link"));
    mkfifo(directory.join("run/fifo"));
    await removeTree(directory.join("run"));
    expect(existsSync(directory.join("run"))).toBe(false);
    expect(readFileSync(directory.join("kept/file"), "utf8")).toBe("kept");
    await removeTree(directory.join("run"));
  });

  test("a tree thousands of levels deep holds nobody up", async () => {
    using directory = temporaryDirectory();
    expect(Bun.spawnSync(["mkdir", "-p", directory.join("run", "d/".repeat(2000))]).exitCode).toBe(0);
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    await removeTree(directory.join("run"));
    clearInterval(counting);
    expect(existsSync(directory.join("run"))).toBe(false);
    expect(turns).toBeGreaterThan(0); // the server went on with other things
  });

  test("thousands of files go as well", async () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join("run"));
    for (let index = 0; index < 1500; index++) writeFileSync(directory.join(`run/${index}`), "");
    await removeTree(directory.join("run"));
    expect(existsSync(directory.join("run"))).toBe(false);
  });
});

/** A process that has done nothing, and must live. */
function decoy(options: { uid?: number; mark?: string } = {}) {
  const user = options.uid === undefined ? [] : ["setpriv", "--reuid", `${options.uid}`, "--clear-groups"];
  const child = Bun.spawn([...user, "sleep", "600"], {
    env: { PATH: process.env.PATH!, ...(options.mark ? { [DIRECTORY_MARK]: options.mark } : {}) },
  });
  const identity = identify(child.pid)!;
  return { identity, [Symbol.asyncDispose]: async () => void (await endProcess(identity, 0), await child.exited) };
}

describe("who is named to be killed", () => {
  test("a pid file whose process is gone and whose pid another has now names nobody that lives", async () => {
    using directory = temporaryDirectory();
    await using other = decoy();
    const before = { ...other.identity, startTicks: other.identity.startTicks - 1 };
    writeFileSync(directory.join("vmm.pid"), JSON.stringify(before));
    const named = namedProcesses(directory.path);
    expect(named).toEqual([before]);
    for (const identity of named) await endProcess(identity, 0);
    expect(isAlive(other.identity)).toBe(true);
  });

  test.skipIf(!isRoot)(
    "a pid file that another user wrote names nobody (skipped for users other than root)",
    async () => {
      using directory = temporaryDirectory();
      await using victim = decoy();
      writeFileSync(directory.join("forged.pid"), JSON.stringify(victim.identity));
      expect(namedProcesses(directory.path)).toEqual([victim.identity]);
      chownSync(directory.join("forged.pid"), STRANGER, STRANGER);
      expect(namedProcesses(directory.path)).toEqual([]);
    },
  );

  test("a link, a FIFO and a huge file by that name are passed over", async () => {
    using directory = temporaryDirectory();
    await using victim = decoy();
    writeFileSync(directory.join("elsewhere"), JSON.stringify(victim.identity));
    symlinkSync(directory.join("elsewhere"), directory.join("link.pid"));
    mkfifo(directory.join("fifo.pid"));
    writeFileSync(directory.join("huge.pid"), JSON.stringify(victim.identity) + " ".repeat(100_000));
    expect(namedProcesses(directory.path)).toEqual([]);
  });

  test.skipIf(!isRoot)(
    "another user's process that carries our mark is not ours (skipped for users other than root)",
    async () => {
      using directory = temporaryDirectory();
      await using forged = decoy({ uid: STRANGER, mark: directory.path });
      await using own = decoy({ mark: directory.path });
      while (!Bun.file(`/proc/${forged.identity.pid}/status`).size && !isAlive(forged.identity))
        await Promise.resolve();
      await changed(forged.identity.pid);
      expect(findProcesses(directory.path).map(({ pid }) => pid)).toEqual([own.identity.pid]);
      expect(findProcesses(directory.path, (uid) => uid === STRANGER).map(({ pid }) => pid)).toEqual([
        forged.identity.pid,
      ]);
    },
  );
});

/** Resolves when setpriv has become the program that was asked for. */
async function changed(pid: number): Promise<void> {
  while (!readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep"))
    await new Promise((next) => setImmediate(next));
}

test("a process is known to run its program, also by a row of an older version, and told when it became another", async () => {
  const child = Bun.spawn(["/bin/sh", "-c", "read line; exec sleep 600"], { stdin: "pipe" });
  const bare = identify(child.pid)!;
  const identity = withExecutable(bare);
  try {
    expect(identity.executable).toMatch(/^\d+:\d+$/);
    expect([runsItsProgram(identity), runsItsProgram(bare)]).toEqual([true, true]);
    child.stdin.write("go\n");
    child.stdin.flush();
    await changed(child.pid);
    expect([runsItsProgram(identity), runsItsProgram(bare), isAlive(identity)]).toEqual([false, true, true]);
  } finally {
    await endProcess(bare, 0);
  }
  expect(runsItsProgram(identity)).toBe(false);
});
