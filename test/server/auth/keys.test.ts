import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { createLog } from "../../../src/log/log.ts";
import { CdpTokens } from "../../../src/server/auth/cdp-token.ts";
import { FAILURES_PER_WINDOW, failureCounter } from "../../../src/server/auth/failures.ts";
import { builtInKeys, loadSigningKey } from "../../../src/server/auth/key-files.ts";
import { Keys } from "../../../src/server/auth/keys.ts";

let home: string;
let lines: string[];
const log = createLog({ level: "info", write: (line) => lines.push(line) });
const config = (env = {}) => loadConfig({ OVERHYPED_HOME: join(home, "state"), ...env });
const keyFile = () => join(home, "state", "admin.key");

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "hype-keys-"));
  lines = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const loadKeys = (settings = config()) => new Keys({ builtIn: builtInKeys(settings, log) });

describe("built-in keys", () => {
  test("the first start writes an admin key that only its user can read", () => {
    const keys = loadKeys();
    const key = readFileSync(keyFile(), "utf8").trim();
    expect(key).toMatch(/^hype_[A-Za-z0-9_-]{43}$/);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(keys.identify(key)).toMatchObject({ id: "admin", scope: "admin", view: null, bucket: null });
    expect(keys.identify(`${key.slice(0, -1)}!`)).toBeNull();
    expect(keys.identify("")).toBeNull();
  });

  test("a later start keeps it", () => {
    loadKeys();
    const key = readFileSync(keyFile(), "utf8").trim();
    expect(loadKeys().identify(key)?.id).toBe("admin");
  });

  test("OVERHYPED_API_KEY is a further key", () => {
    const keys = loadKeys(config({ OVERHYPED_API_KEY: "sixteen-letters-at-least" }));
    expect(keys.identify("sixteen-letters-at-least")).toMatchObject({ id: "environment", scope: "admin" });
  });

  test("a key that others could read is closed, with a warning that does not show it", () => {
    loadKeys();
    const key = readFileSync(keyFile(), "utf8").trim();
    chmodSync(keyFile(), 0o644);
    loadKeys();
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(lines.join("")).toContain("could be read by others");
    expect(lines.join("")).not.toContain(key);
  });

  test("a file that holds no key is an error, not a weak key", () => {
    loadKeys();
    writeFileSync(keyFile(), "\n");
    expect(() => loadKeys()).toThrow("does not hold a key");
    writeFileSync(join(home, "state", "signing.key"), "AAAA", { mode: 0o600 });
    expect(() => loadSigningKey(config(), log)).toThrow("does not hold a signing key");
  });
});

describe("CDP tokens", () => {
  const vm = "018bcfe5-6800-7000-8000-000000000001";
  const tokens = new CdpTokens(Buffer.alloc(32, 1));
  const key = { id: "admin", digest: "ab".repeat(32) };
  const find = (id: string) => (id === key.id ? key : null);

  test("open their VM until they expire", () => {
    const { token, expiresAt } = tokens.mint(vm, 60, key, 1_000_000);
    expect(expiresAt).toBe(1060);
    expect(tokens.verify(token, find, 1_059_999)).toEqual({ vmId: vm, keyId: "admin", expiresAt: 1060 });
    expect(tokens.verify(token, find, 1_060_000)).toBe("expired");
  });

  test("survive a restart: the key is read again from its file", () => {
    const { token } = new CdpTokens(loadSigningKey(config(), log)).mint(vm, 60, key);
    expect(new CdpTokens(loadSigningKey(config(), log)).verify(token, find)).toMatchObject({ vmId: vm });
  });

  test("are void when their key is not known any more, or is another one", () => {
    const { token } = tokens.mint(vm, 60, key);
    expect(tokens.verify(token, () => null)).toBeNull();
    expect(tokens.verify(token, () => ({ ...key, digest: "cd".repeat(32) }))).toBeNull();
  });

  const { token } = tokens.mint(vm, 60, key);
  const [id, expiry, keyId, signature] = token.split(".") as [string, string, string, string];
  for (const [name, forged] of Object.entries({
    "another VM": `${id.replace(/1$/, "2")}.${expiry}.${keyId}.${signature}`,
    "a later expiry": `${id}.${Number(expiry) + 1}.${keyId}.${signature}`,
    "another key": `${id}.${expiry}.environment.${signature}`,
    "another signature": `${id}.${expiry}.${keyId}.${"A".repeat(43)}`,
    "a signature cut short": `${id}.${expiry}.${keyId}.${signature.slice(1)}`,
    "no key": `${id}.${expiry}.${signature}`,
    "another server's key": new CdpTokens(Buffer.alloc(32, 2)).mint(vm, 60, key).token,
    nothing: "",
    "half a megabyte": "x".repeat(500_000),
  }))
    test(`are refused with ${name}`, () => expect(tokens.verify(forged, () => key)).toBeNull());
});

test("an address may fail ten times a minute, others are not touched by it", () => {
  let now = 0;
  const failures = failureCounter(() => now);
  for (let count = 0; count < FAILURES_PER_WINDOW; count++) expect(failures.note("a")).toBeNull();
  now = 20_000;
  expect(failures.note("a")).toBe(40);
  expect(failures.note("b")).toBeNull();
  now = 60_000;
  expect(failures.note("a")).toBeNull();
});
