import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Config, loadConfig } from "../../src/config/load.ts";
import { paths } from "../../src/config/paths.ts";
import type { StorageState } from "../../src/contract/index.ts";
import { createLog } from "../../src/log/log.ts";
import { keyIdOf } from "../../src/profiles/envelope.ts";
import { Profiles } from "../../src/profiles/profiles.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { refused } from "../lib/refused.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const SECRET = "s3cr3t-c00kie-0f-alice";
const PROGRAM = join(import.meta.dir, "../fake/rotate-program.ts");

let directory: ReturnType<typeof temporaryDirectory>;
let config: Config;
let store: Store;
let profiles: Profiles;
let lines: string[];
beforeEach(() => {
  directory = temporaryDirectory();
  config = loadConfig({ OVERHYPED_HOME: directory.path });
  store = openStore(config.dbPath);
  lines = [];
  profiles = open();
});
afterEach(() => {
  store.close();
  directory[Symbol.dispose]();
});

const open = () =>
  new Profiles({ config, store, log: createLog({ level: "debug", write: (line) => lines.push(line) }) });
const stateOf = (value: string): StorageState => ({
  cookies: [{ name: "login", value, domain: "one.test", path: "/", expires: -1, httpOnly: true, secure: false }],
  origins: [{ origin: "https://one.test", localStorage: [{ name: "token", value }] }],
});
const keep = (name: string, value: string, replace = false) =>
  profiles.import(name, { state: stateOf(value), replace });
const valueOf = (name: string) => (JSON.parse(profiles.export(name).toString()) as StorageState).cookies[0]?.value;
const files = () => readdirSync(paths.profiles(config)).sort();
const fileOf = (name: string) => {
  const { id } = profiles.get(name);
  return join(
    paths.profiles(config),
    files().find((file) => file.startsWith(id))!,
  );
};
const keyLines = () => readFileSync(paths.profilesKey(config), "utf8").trim().split("\n");
const later = <T>(work: () => T) => Promise.resolve().then(work);

describe("what is kept", () => {
  test("comes back as it was; of its content nothing is shown", () => {
    const kept = keep("alice", SECRET);
    expect(kept).toMatchObject({ name: "alice", cookies: 1, origins: 1, expired: 0 });
    expect(JSON.parse(profiles.export("alice").toString())).toEqual(stateOf(SECRET));
    expect(profiles.list()).toEqual([profiles.get("alice")]);
    expect(JSON.stringify(profiles.list())).not.toContain(SECRET);
    expect(kept.size_bytes).toBe(profiles.export("alice").length);
  });

  test("lies on disk sealed, closed to others, and nowhere in the clear", async () => {
    keep("alice", SECRET);
    keep("alice", `${SECRET}-2`, true);
    await profiles.rotateKey();
    for (const file of [paths.profilesKey(config), fileOf("alice")]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(paths.profiles(config)).mode & 0o777).toBe(0o700);
    const everything = readdirSync(directory.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(everything.length).toBeGreaterThan(2);
    for (const bytes of everything) {
      expect(bytes.includes(SECRET)).toBe(false);
      expect(bytes.includes("one.test")).toBe(false);
    }
    expect(lines.join("")).toContain("alice is kept");
    expect(lines.join("")).not.toContain(SECRET);
  });

  test("two of the same content do not look alike", () => {
    keep("alice", SECRET);
    keep("bob", SECRET);
    expect(readFileSync(fileOf("alice")).subarray(40)).not.toEqual(readFileSync(fileOf("bob")).subarray(40));
  });

  test("is replaced when that is said, and one file stays", async () => {
    const first = keep("alice", "1");
    expect(
      await refused(
        "profile_name_taken",
        later(() => keep("alice", "2")),
      ),
    ).toContain("alice");
    expect(valueOf("alice")).toBe("1");
    expect(keep("alice", "2", true)).toMatchObject({ id: first.id, created_at: first.created_at });
    expect(valueOf("alice")).toBe("2");
    expect(files()).toHaveLength(1);
    profiles.delete("alice");
    expect(files()).toEqual([]);
    await refused(
      "profile_not_found",
      later(() => profiles.delete("alice")),
    );
  });

  test("bad cookies are named, their values are not, and nothing is kept", async () => {
    const cookies = [
      { name: "semi", value: `${SECRET};`, domain: "one.test" },
      { name: "number", value: 17_171_717, domain: "one.test" },
      { name: "where", value: SECRET },
      { name: "strange", value: SECRET, domain: "one.test", secret: SECRET },
    ];
    const message = await refused(
      "state_invalid",
      later(() => profiles.import("alice", { state: { cookies, origins: [] }, replace: false })),
    );
    for (const name of ["semi", "number", "where", "strange"]) expect(message).toContain(`"${name}"`);
    expect(message).not.toContain(SECRET);
    expect(message).not.toContain("17171717");
    expect(profiles.list()).toEqual([]);
    expect(existsSync(paths.profiles(config))).toBe(false);
  });

  test("cookies whose time is over are left out", () => {
    const cookies = [{ name: "old", value: "1", domain: "one.test", expires: 1 }];
    expect(profiles.import("alice", { state: { cookies, origins: [] }, replace: false })).toMatchObject({
      cookies: 0,
      expired: 1,
    });
  });

  test("a state that is too large is refused", async () => {
    const localStorage = [{ name: "k", value: "v".repeat(64 * 1024 * 1024) }];
    const state = { cookies: [], origins: [{ origin: "https://one.test", localStorage }] };
    await refused(
      "payload_too_large",
      later(() => profiles.import("alice", { state, replace: false })),
    );
    expect(profiles.list()).toEqual([]);
  });
});

describe("what cannot be opened says why", () => {
  type Fault = [what: string, said: string, spoil: () => void];
  const faults: Fault[] = [
    ["a lost key", "profiles.key is missing", () => rmSync(paths.profilesKey(config))],
    ["another key", "is sealed with key", () => writeFileSync(paths.profilesKey(config), keyOf(1))],
    ["an empty key file", "profiles.key is damaged: it is empty", () => writeFileSync(paths.profilesKey(config), "")],
    [
      "a key file with something else",
      "holds something that is no key",
      () => writeFileSync(paths.profilesKey(config), "x\n"),
    ],
    ["a key that others can read", "mode 644", () => chmodSync(paths.profilesKey(config), 0o644)],
    ["a lost file", "the file of profile alice is missing", () => rmSync(fileOf("alice"))],
    ["an empty file", "does not begin as a sealed profile does", () => writeFileSync(fileOf("alice"), "")],
    ["a file of another kind", "does not begin as", () => writeFileSync(fileOf("alice"), "x".repeat(100))],
    ["a file of a later format", "has format 3", () => change(fileOf("alice"), (bytes) => void (bytes[7] = 3))],
    ["a byte changed", "is damaged, or another", () => change(fileOf("alice"), (bytes) => void bytes[50]!++)],
    ["a nonce changed", "is damaged, or another", () => change(fileOf("alice"), (bytes) => void bytes[17]!++)],
    [
      "a tag changed",
      "is damaged, or another",
      () => change(fileOf("alice"), (bytes) => void bytes[bytes.length - 1]!++),
    ],
    [
      "an end cut off",
      "is damaged, or another",
      () => writeFileSync(fileOf("alice"), readFileSync(fileOf("alice")).subarray(0, -1)),
    ],
    ["another profile's file", "is damaged, or another", () => copyFileSync(fileOf("bob"), fileOf("alice"))],
  ];
  const keyOf = (byte: number) => `${Buffer.alloc(32, byte).toString("base64url")}\n`;
  const change = (path: string, how: (bytes: Buffer) => void) => {
    const bytes = readFileSync(path);
    how(bytes);
    writeFileSync(path, bytes);
  };

  test.each(faults)("%s", async (_what, said, spoil) => {
    keep("alice", SECRET);
    keep("bob", "2");
    spoil();
    const message = await refused(
      "profile_unreadable",
      later(() => profiles.export("alice")),
    );
    expect(message).toContain(said);
    expect(message).not.toContain(SECRET);
  });

  test("its own older content does not pass for the newer", async () => {
    keep("alice", "1");
    const before = readFileSync(fileOf("alice"));
    keep("alice", "2", true);
    writeFileSync(fileOf("alice"), before);
    await refused(
      "profile_unreadable",
      later(() => profiles.export("alice")),
    );
  });

  test("nothing is sealed with a new key while the old one is lost", async () => {
    keep("alice", "1");
    const key = readFileSync(paths.profilesKey(config));
    rmSync(paths.profilesKey(config));
    await refused(
      "profile_unreadable",
      later(() => keep("bob", "2")),
    );
    await refused("profile_unreadable", profiles.rotateKey());
    expect(existsSync(paths.profilesKey(config))).toBe(false);
    writeFileSync(paths.profilesKey(config), key, { mode: 0o600 });
    expect(valueOf("alice")).toBe("1");
    profiles.delete("alice");
    rmSync(paths.profilesKey(config));
    keep("bob", "2");
    expect(valueOf("bob")).toBe("2");
  });
});

describe("another key", () => {
  test("seals everything anew; the old one is forgotten", async () => {
    keep("alice", "1");
    keep("bob", "2");
    const [before = ""] = keyLines();
    const [one, two] = await Promise.all([profiles.rotateKey(), profiles.rotateKey()]);
    expect(one).toEqual({ profiles: 2, unreadable: [] });
    expect(two).toEqual(one);
    expect(keyLines()).toHaveLength(1);
    expect(keyLines()).not.toContain(before);
    expect([valueOf("alice"), valueOf("bob")]).toEqual(["1", "2"]);
    expect(files()).toHaveLength(2);
  });

  test("what is kept, replaced and deleted meanwhile is not lost and does not come back", async () => {
    for (const name of ["a", "b", "c"]) keep(name, name);
    const rotated = profiles.rotateKey();
    keep("b", "new", true);
    keep("d", "d");
    profiles.delete("c");
    await rotated;
    expect(["a", "b", "d"].map(valueOf)).toEqual(["a", "new", "d"]);
    expect(files()).toHaveLength(3);
    expect(keyLines()).toHaveLength(1);
  });

  test("one that cannot be opened keeps its key, is named, and holds up no other", async () => {
    keep("alice", "1");
    keep("bob", "2");
    const bob = fileOf("bob");
    const whole = readFileSync(bob);
    writeFileSync(bob, whole.subarray(0, -1));
    expect(await profiles.rotateKey()).toEqual({ profiles: 1, unreadable: ["bob"] });
    expect(keyLines()).toHaveLength(2);
    expect(valueOf("alice")).toBe("1");
    writeFileSync(bob, whole); // from a backup
    expect(valueOf("bob")).toBe("2");
    await profiles.tidy();
    expect(keyLines()).toHaveLength(1);
    expect([valueOf("alice"), valueOf("bob")]).toEqual(["1", "2"]);
  });

  test("a server killed in the middle leaves every profile readable, and the next one ends it", async () => {
    const names = Array.from({ length: 40 }, (_, n) => `p-${n}`);
    for (const name of names) keep(name, name);
    const child = Bun.spawn([process.execPath, PROGRAM, directory.path], { stdout: "pipe", stderr: "inherit" });
    await child.stdout.getReader().read(); // some are sealed anew, and no more will be
    child.kill("SIGKILL");
    await child.exited;
    expect(keyLines()).toHaveLength(2);
    const [current = ""] = keyLines();
    expect(new Set(names.map((name) => keyIdOf(readFileSync(fileOf(name)), name))).size).toBe(2);
    expect(names.map(valueOf)).toEqual(names);
    await profiles.tidy();
    expect(keyLines()).toEqual([current]);
    expect(names.map(valueOf)).toEqual(names);
  });
});

describe("what a dead server left", () => {
  test("is removed; what belongs to a profile is not, nor what is not ours", async () => {
    keep("alice", "1");
    const [file = ""] = files();
    const strays = ["0190b5a0-0000-7000-8000-000000000001.1.sealed", file.replace(".1.", ".2."), ".x.tmp"];
    for (const name of [...strays, "notes.txt"]) writeFileSync(join(paths.profiles(config), name), "x");
    await open().tidy();
    expect(files()).toEqual([file, "notes.txt"].sort());
    expect(valueOf("alice")).toBe("1");
  });

  test("a file whose row could not be written goes at once", async () => {
    keep("alice", "1");
    store.close();
    expect(() => keep("bob", "2")).toThrow();
    expect(files()).toHaveLength(1);
    store = openStore(config.dbPath);
    profiles = open();
  });

  test("a key file that is no good does not keep the server from starting", async () => {
    keep("alice", "1");
    chmodSync(paths.profilesKey(config), 0o644);
    await profiles.tidy();
    expect(lines.join("")).toContain("mode 644");
    expect(valueOf.bind(null, "alice")).toThrow();
  });
});
