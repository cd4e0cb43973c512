import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import { HypeError } from "../../../src/contract/errors.ts";
import type { SystemStatus } from "../../../src/contract/system.ts";
import type { Finding, Surroundings } from "../../../src/setup/doctor/check.ts";
import { examine } from "../../../src/setup/doctor/examine.ts";

/** A home of its own with programs that answer `--version`; gone afterwards. */
function machine() {
  const root = mkdtempSync(join(tmpdir(), "hype-doctor-"));
  const program = (name: string) => {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} 9.9"\necho more\n`, { mode: 0o755 });
    return path;
  };
  const home = join(root, "home");
  mkdirSync(home, { mode: 0o700 });
  const env = {
    HOME: root,
    OVERHYPED_HOME: home,
    OVERHYPED_QEMU: program("qemu"),
    OVERHYPED_PASST: program("passt"),
    OVERHYPED_API_LISTEN: "127.0.0.1:0",
    OVERHYPED_NETWORK: "user",
  };
  return { root, home, env, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

const noServer = async (): Promise<SystemStatus> => {
  throw new HypeError("server_unreachable", "nothing answers");
};

const around = (env: Record<string, string>, change: Partial<Surroundings> = {}): Surroundings => ({
  config: loadConfig(env),
  driver: async () => ({ name: "qemu", version: "9.9", accelerator: "kvm", reason: "a probe guest booted" }),
  defaultImage: async () => ({ id: "abc", bytes: 1, summary: "layered" }),
  server: noServer,
  rows: async () => null,
  openChanges: async () => null,
  ...change,
});

const finding = async (id: string, surroundings: Surroundings): Promise<Finding> => {
  const found = (await examine(surroundings)).find((one) => one.id === id);
  if (!found) throw new Error(`no check ${id}`);
  return found;
};

describe("doctor", () => {
  test("on a machine that has everything nothing fails, and every finding is whole", async () => {
    using host = machine();
    for (const one of await examine(around(host.env))) {
      expect(one.status, one.id).not.toBe("fail");
      expect(one.seen).not.toBe("");
      expect(one.why).not.toBe("");
    }
  });

  test("what is not ok has a remedy", async () => {
    using host = machine();
    const bare = { ...host.env, OVERHYPED_QEMU: "/nonexistent/qemu", OVERHYPED_PASST: "/nonexistent/passt" };
    const findings = await examine(around(bare, { defaultImage: async () => null }));
    for (const one of findings.filter(({ status }) => status !== "ok")) expect(one.remedy, one.id).not.toBeNull();
  });

  test("names programs and their versions", async () => {
    using host = machine();
    expect(await finding("hypervisor", around(host.env))).toMatchObject({ status: "ok", seen: "qemu 9.9" });
    expect(await finding("network", around(host.env))).toMatchObject({ status: "ok", seen: "passt 9.9" });
  });

  test.each([
    { id: "hypervisor", variable: "OVERHYPED_QEMU", remedy: "qemu-system-x86" },
    { id: "network", variable: "OVERHYPED_PASST", remedy: "passt" },
  ])("a missing $variable fails with the package that has it", async ({ id, variable, remedy }) => {
    using host = machine();
    const found = await finding(id, around({ ...host.env, [variable]: "/nonexistent/program" }));
    expect(found.status).toBe("fail");
    expect(found.seen).toContain("/nonexistent/program");
    expect(found.remedy).toContain(remedy);
  });

  test("software emulation is worth a note, no hypervisor at all fails", async () => {
    using host = machine();
    const emulated = { name: "qemu", version: "9.9", accelerator: "tcg" as const, reason: "no KVM here" };
    expect((await finding("acceleration", around(host.env, { driver: async () => emulated }))).status).toBe("note");
    const none = async () => {
      throw new HypeError("hypervisor_unavailable", "nothing to run VMs with");
    };
    expect(await finding("acceleration", around(host.env, { driver: none }))).toMatchObject({
      status: "fail",
      seen: "nothing to run VMs with",
    });
  });

  test("no image and a damaged image fail, each with its remedy", async () => {
    using host = machine();
    const none = await finding("image", around(host.env, { defaultImage: async () => null }));
    expect([none.status, none.remedy]).toEqual(["fail", expect.stringContaining("hype image build")]);
    const damaged = async () => {
      throw new HypeError("image_invalid", "rootfs.erofs differs");
    };
    const bad = await finding("image", around(host.env, { defaultImage: damaged }));
    expect([bad.status, bad.seen, bad.remedy]).toEqual([
      "fail",
      "rootfs.erofs differs",
      expect.stringContaining("--force"),
    ]);
  });

  test("an admin key others can read fails, a private one does not", async () => {
    using host = machine();
    const key = join(host.home, "admin.key");
    writeFileSync(key, "hype_secret", { mode: 0o644 });
    const open = await finding("state", around(host.env));
    expect(open.status).toBe("fail");
    expect(open.seen).toContain("0644");
    expect(open.seen).not.toContain("hype_secret");
    chmodSync(key, 0o600);
    expect((await finding("state", around(host.env))).status).toBe("ok");
    chmodSync(host.home, 0o777);
    expect((await finding("state", around(host.env))).remedy).toContain("chmod 700");
  });

  test("a state directory that is not there yet is fine", async () => {
    using host = machine();
    rmSync(host.home, { recursive: true });
    expect((await finding("state", around(host.env))).status).toBe("ok");
    expect((await finding("disk", around(host.env))).status).not.toBe("fail");
  });

  test("tells a server that runs, a free port, and a port another program has", async () => {
    using host = machine();
    const status = { version: "1.2.3", vms: { total: 1, by_status: {} } } as unknown as SystemStatus;
    const running = await finding("server", around(host.env, { server: async () => status }));
    expect([running.status, running.seen]).toEqual(["ok", expect.stringContaining("hype 1.2.3 answers")]);
    expect((await finding("server", around(host.env))).status).toBe("note");

    const stranger = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const taken = { ...host.env, OVERHYPED_API_LISTEN: `127.0.0.1:${stranger.port}` };
    const found = await finding("server", around(taken));
    stranger.stop(true);
    expect(found.status).toBe("fail");
    expect(found.seen).toContain(`127.0.0.1:${stranger.port} cannot be taken`);
    expect((await finding("server", around(taken))).status).toBe("note");
  });

  test("a server that refuses the key is a warning", async () => {
    using host = machine();
    const refuse = async () => {
      throw new HypeError("unauthorized", "no valid key");
    };
    expect((await finding("server", around(host.env, { server: refuse }))).status).toBe("warn");
  });

  test("a check that breaks is a finding, not the end of the examination", async () => {
    using host = machine();
    const breaks = async () => {
      throw new TypeError("oops");
    };
    const findings = await examine(around(host.env, { server: breaks }));
    expect(findings.find(({ id }) => id === "server")).toMatchObject({ status: "warn", seen: "oops" });
    expect(findings.length).toBeGreaterThan(5);
  });
});
