import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { loadConfig } from "../../src/config/load.ts";
import { HypeError } from "../../src/contract/index.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

const fault = (env: Record<string, string>): string => {
  try {
    loadConfig({ HOME: "/home/x", ...env });
  } catch (thrown) {
    if (thrown instanceof HypeError && thrown.code === "config_invalid") return thrown.message;
    throw thrown;
  }
  return "";
};

test("without settings everything has its default", () => {
  const config = loadConfig({ HOME: "/home/x" });
  expect(config).toMatchObject({
    home: "/home/x/.overhyped",
    dbPath: "/home/x/.overhyped/state.db",
    listen: { host: "127.0.0.1", port: 7777 },
    subnet: "192.168.127.0/24",
    hostIp: "192.168.127.1",
    hypervisor: "auto",
    allowCidr: null,
  });
});

test.each([
  ["OVERHYPED_API_LISTEN", "7777", "ADDRESS:PORT"],
  ["OVERHYPED_API_LISTEN", "127.0.0.1:99999", "65535"],
  ["OVERHYPED_HOME", "relative", "absolute path"],
  ["OVERHYPED_HOME", "/a,b", "no comma"],
  ["OVERHYPED_SUBNET", "192.168.127.1/24", "first address"],
  ["OVERHYPED_SUBNET", "192.168.127.0/30", "/16 and /29"],
  ["OVERHYPED_SUBNET", "nonsense", "IPv4 network"],
  ["OVERHYPED_HOST_IP", "10.0.0.1", "must lie in"],
  ["OVERHYPED_API_ALLOW_CIDR", "10.0.0.0/8,oops", "comma-separated networks"],
  ["OVERHYPED_API_KEY", "short", "at least 16"],
  ["OVERHYPED_HYPERVISOR", "xen", "auto, qemu or cloud-hypervisor"],
  ["OVERHYPED_BOOT_TIMEOUT_MS", "soon", "whole milliseconds"],
  ["OVERHYPED_LLM_TOOLS", "default,magic", "some of vms, browser"],
  ["OVERHYPED_LLM_TOOLS", " , ", "some of vms, browser"],
  ["OVERHYPED_BRIDGE", "a-name-that-is-too-long", "at most 15"],
  ["OVERHYPED_RUNTIME_DIR", `/${"d".repeat(90)}`, "at most 73 bytes"],
  ["OVERHYPED_UID_BASE", "1000", "at least 10000"],
  ["OVERHYPED_READY_SLOTS", "1000", "at most 256"],
  ["OVERHYPED_DNS", "resolver.example", "name servers"],
  ["OVERHYPED_NETWORK", "bridge", "auto, slot or user"],
  ["OVERHYPED_TLS_CERT", "/c.pem", "given together"],
  ["OVERHYPED_TYPO", "x", "is not a setting"],
])("%s=%s is refused with what was expected", (name, value, words) => {
  const message = fault({ [name]: value });
  expect(message).toContain(name);
  expect(message).toContain(words);
});

test("every fault is named at once, and a key is never repeated", () => {
  const message = fault({ OVERHYPED_SUBNET: "x", OVERHYPED_LOG_LEVEL: "loud", OVERHYPED_API_KEY: "secret" });
  expect(message).toContain("OVERHYPED_SUBNET");
  expect(message).toContain("OVERHYPED_LOG_LEVEL");
  expect(message).not.toContain("secret");
});

describe("the settings file", () => {
  const withFile = (text: string, read: (path: string) => void) => {
    using directory = temporaryDirectory();
    const path = directory.join("hype.env");
    writeFileSync(path, text);
    read(path);
  };
  test("gives what the environment does not", () =>
    withFile("# ours\n\nOVERHYPED_HOME=/var/lib/overhyped\n  OVERHYPED_LOG_LEVEL=warn\nOVERHYPED_BRIDGE=\n", (path) => {
      const config = loadConfig({ HOME: "/h", OVERHYPED_CONFIG: path, OVERHYPED_LOG_LEVEL: "debug" });
      expect(config).toMatchObject({ home: "/var/lib/overhyped", logLevel: "debug", bridge: "hypebr0" });
    }));
  test("that is not there is no fault", () => {
    expect(loadConfig({ HOME: "/h", OVERHYPED_CONFIG: "/nowhere/hype.env" }).home).toBe("/h/.overhyped");
  });
  test("is refused with file and line, without the line's words", () =>
    withFile("OVERHYPED_HOME=/h\nAPI_KEY=secret-secret-secret\n", (path) => {
      const message = fault({ OVERHYPED_CONFIG: path });
      expect(message).toContain(`${path}: line 2`);
      expect(message).not.toContain("secret-secret");
    }));
  test("wrong values are named as those of the environment", () =>
    withFile("OVERHYPED_SUBNET=x\nOVERHYPED_TYPO=1\n", (path) => {
      expect(fault({ OVERHYPED_CONFIG: path })).toMatch(/OVERHYPED_SUBNET.*OVERHYPED_TYPO/);
    }));
});

test("values are turned into what they mean", () => {
  const config = loadConfig({
    HOME: "/h",
    OVERHYPED_API_LISTEN: "[::1]:0",
    OVERHYPED_API_ALLOW_CIDR: "10.0.0.0/8, ::1/128",
    OVERHYPED_SUBNET: "10.9.0.0/16",
  });
  expect(config.listen).toEqual({ host: "::1", port: 0 });
  expect(config.allowCidr).toEqual(["10.0.0.0/8", "::1/128"]);
  expect(config.hostIp).toBe("10.9.0.1");
});

test.each([
  ["127.0.0.1:8888", "http://127.0.0.1:8888"],
  ["[::1]:8888", "http://[::1]:8888"],
  ["0.0.0.0:8888", "http://127.0.0.1:8888"],
  ["127.0.0.1:0", "http://127.0.0.1:7777"],
])("the CLI looks for a server where it listens: %s", (listen, base) => {
  expect(loadConfig({ HOME: "/h", OVERHYPED_API_LISTEN: listen }).apiBase).toBe(base);
  expect(loadConfig({ HOME: "/h", OVERHYPED_API_LISTEN: listen, OVERHYPED_API_BASE: "http://far:1/" }).apiBase).toBe(
    "http://far:1",
  );
});
