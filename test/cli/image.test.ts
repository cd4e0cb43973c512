import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { ConnectOptions } from "../../src/client/types.ts";
import { loadConfig } from "../../src/config/load.ts";
import { lockExclusively } from "../../src/host/exclusive-lock.ts";
import { openStore } from "../../src/store/open.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { aVm, fakeClient, hype, type World } from "./harness.ts";

const ID = "0123456789abcdef";

/** A state directory with one image of three tiny files, the default. */
function aHome() {
  const home = temporaryDirectory();
  const directory = home.join("images", ID);
  mkdirSync(directory, { recursive: true });
  const files = ["vmlinuz", "initramfs", "rootfs.erofs"].map((name) => {
    const data = `bytes of ${name}`;
    writeFileSync(`${directory}/${name}`, data);
    return { name, bytes: data.length, sha256: createHash("sha256").update(data).digest("hex") };
  });
  const manifest = {
    schema: 1,
    id: ID,
    format: "layered",
    created_at: "2026-01-01T00:00:00.000Z",
    source: "mmdebstrap",
    architecture: "amd64",
    kernel_version: "6.1.0",
    chromium_version: "156.0",
    agent_version: "0.1.0",
    packages: { busybox: "1.35" },
    files,
  };
  writeFileSync(`${directory}/manifest.json`, JSON.stringify(manifest));
  writeFileSync(home.join("images", "default"), `${ID}\n`);
  const ask = (argv: string[], world: World = {}) => hype(argv, { env: { OVERHYPED_HOME: home.path }, ...world });
  return { ...home, home: home.path, directory, manifest, ask, [Symbol.dispose]: () => home[Symbol.dispose]() };
}

describe("image list and inspect", () => {
  test("list", async () => {
    using images = aHome();
    const { stdout } = await images.ask(["image", "list"]);
    expect(stdout.split("\n")[1]).toMatch(/^0123456789abcdef +yes +layered +156\.0 +6\.1\.0 +0\.1\.0 +55 B$/);
    expect(JSON.parse((await images.ask(["image", "list", "--json"])).stdout).items[0]).toMatchObject({
      id: ID,
      bytes: 55,
    });
  });

  test("an empty list says what to do", async () => {
    using home = temporaryDirectory();
    const { code, stdout } = await hype(["image", "list"], { env: { OVERHYPED_HOME: home.path } });
    expect([code, stdout]).toEqual([0, "no images; `hype image build` makes one\n"]);
  });

  test("inspect takes the default, an id, or its beginning", async () => {
    using images = aHome();
    for (const ref of [[], [ID], ["0123"]]) {
      const { stdout } = await images.ask(["image", "inspect", ...ref, "--json"]);
      expect(JSON.parse(stdout)).toEqual(images.manifest);
    }
    expect((await images.ask(["image", "inspect"])).stdout).toMatch(/vmlinuz +16 B +[0-9a-f]{64}/);
    const unknown = await images.ask(["image", "inspect", "ffff"]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("error[image_not_found]")]);
  });
});

describe("image verify", () => {
  test("a whole image", async () => {
    using images = aHome();
    expect(await images.ask(["image", "verify"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("3 files"),
    });
  });

  test("one flipped byte ends with 1 and names the file", async () => {
    using images = aHome();
    writeFileSync(`${images.directory}/initramfs`, "bytes of initramfz");
    const { code, stdout } = await images.ask(["image", "verify", ID]);
    expect(code).toBe(1);
    expect(stdout).toContain("initramfs is damaged");
    expect(stdout).not.toContain("vmlinuz");
    const told = JSON.parse((await images.ask(["image", "verify", "--json"])).stdout);
    expect(told).toMatchObject({ id: ID, ok: false });
  });
});

describe("image rm", () => {
  test("removes an image nobody uses", async () => {
    using images = aHome();
    expect(await images.ask(["image", "rm", "0123"])).toMatchObject({ code: 0, stdout: `image ${ID} is removed\n` });
    expect(existsSync(images.directory)).toBe(false);
  });

  test("without a server the database says who uses it", async () => {
    using images = aHome();
    const store = openStore(images.join("state.db"));
    const { updated_at: _updated, egress_mode: _mode, ...vm } = aVm({ image: ID });
    store.write(() => {
      const ip_address = store.leases.take(vm.id, loadConfig({ OVERHYPED_HOME: images.home }));
      store.vms.insert({ ...vm, ip_address }, { mode: "open", allow: [], deny: [] });
    });
    store.close();
    const { code, stderr } = await images.ask(["image", "rm", ID]);
    expect(code).toBe(1);
    expect(stderr).toContain(`error[image_in_use]: image ${ID} is used by demo`);
    expect(existsSync(images.directory)).toBe(true);
  });

  test("with a server on this state, the server says so", async () => {
    using images = aHome();
    openStore(images.join("state.db")).close();
    using _server = lockExclusively(images.join("serve.lock"));
    const using = fakeClient({ vms: { list: async () => ({ items: [aVm({ image: ID })], total: 1 }) } });
    expect(
      (await images.ask(["image", "rm", ID], { client: using, env: { OVERHYPED_HOME: images.home } })).stderr,
    ).toContain("image_in_use");
    const idle = fakeClient({ vms: { list: async () => ({ items: [], total: 0 }) } });
    expect((await images.ask(["image", "rm", ID], { client: idle, env: { OVERHYPED_HOME: images.home } })).code).toBe(
      0,
    );
  });

  test("the server is asked with this machine's own key: another may see fewer VMs", async () => {
    using images = aHome();
    openStore(images.join("state.db")).close();
    writeFileSync(images.join("admin.key"), "hype_the-admin\n");
    using _server = lockExclusively(images.join("serve.lock"));
    const client = fakeClient({ vms: { list: async () => ({ items: [aVm({ image: ID })], total: 1 }) } });
    const connections: ConnectOptions[] = [];
    const env = { OVERHYPED_HOME: images.home, OVERHYPED_API_KEY: "hype_restricted-key" };
    await images.ask(["image", "rm", ID], { env, client, connections });
    expect(connections).toMatchObject([{ key: "hype_the-admin" }]);
  });
});

test("image build refuses unknown formats and sources before it does anything", async () => {
  expect((await hype(["image", "build", "--format", "iso"])).stderr).toContain("layered, bundle");
  expect((await hype(["image", "build", "--source", "snap"])).stderr).toContain("mmdebstrap");
});

test("doctor in a home with an image: JSON with every check, and the exit code says whether one failed", async () => {
  using images = aHome();
  const world = {
    env: { OVERHYPED_HOME: images.home, OVERHYPED_QEMU: "/nonexistent/qemu", OVERHYPED_API_LISTEN: "127.0.0.1:0" },
  };
  const { code, stdout } = await images.ask(["doctor", "--json"], world);
  const { ok, checks } = JSON.parse(stdout);
  expect([code, ok]).toEqual([1, false]);
  const status = Object.fromEntries(checks.map((check: { id: string; status: string }) => [check.id, check.status]));
  expect(status).toMatchObject({ hypervisor: "fail", acceleration: "fail", image: "ok", state: "ok" });
  const words = await images.ask(["doctor"], world);
  expect(words.stdout).toContain("✗ hypervisor");
  expect(words.stdout).toContain("apt-get install qemu-system-x86");
  expect(words.code).toBe(1);
});
