import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HYPE, SealedHome } from "../lib/hype.ts";

/** The built program in a sealed home: what starts, what is refused, and what stays as it was. */

test("serve, ask, stop: keys are private, the lock is free afterwards", async () => {
  await using home = new SealedHome();
  const server = await home.serve();
  expect(JSON.parse(await home.ok(["vms", "list", "--json"]))).toEqual({ items: [], total: 0 });
  const state = join(home.path, "state");
  for (const file of ["admin.key", "signing.key", "state.db"])
    expect([file, statSync(join(state, file)).mode & 0o777]).toEqual([file, 0o600]);
  expect((await fetch(`${server.url}/api/v1/vms`)).status).toBe(401);
  expect(await server.stop("SIGTERM")).toBe(0);
  const again = await home.serve();
  expect(again.key).toBe(server.key);
});

test("a second server on the same state is refused and disturbs nothing", async () => {
  await using home = new SealedHome();
  await home.serve();
  const second = await home.run(["serve"]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("state_locked");
  await home.ok(["vms", "list"]);
});

test("a taken port is named", async () => {
  await using home = new SealedHome();
  const squatter = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const served = await home.run(["serve", "--listen", `127.0.0.1:${squatter.port}`]);
  squatter.stop(true);
  expect(served.code).toBe(1);
  expect(served.stderr).toContain("port_taken");
  expect(served.stderr).toContain(String(squatter.port));
});

test("a database of a newer version is refused and not touched", async () => {
  await using home = new SealedHome();
  await (await home.serve()).stop();
  const path = join(home.path, "state", "state.db");
  const original = readFileSync(path);
  {
    using database = new Database(path);
    database.run("pragma user_version = 9999");
    database.run(
      "insert into migrations select 9999, '9999-from-the-future.sql', checksum, applied_at from migrations limit 1",
    );
    database.run("pragma wal_checkpoint(truncate)");
  }
  const before = readFileSync(path);
  const served = await home.run(["serve"]);
  expect(served.code).toBe(1);
  expect(served.stderr).toContain("state_too_new");
  expect(readFileSync(path).equals(before)).toBe(true);
  writeFileSync(path, original);
});

test("a file that is no database is refused and not touched", async () => {
  await using home = new SealedHome();
  const path = join(home.path, "state", "state.db");
  writeFileSync(path, "not a database, but somebody's only copy of something".repeat(100));
  const served = await home.run(["serve"]);
  expect(served.code).toBe(1);
  expect(served.stderr).toContain("state_damaged");
  expect(readFileSync(path, "utf8")).toStartWith("not a database");
});

test("wrong settings are refused at start, each with its name", async () => {
  await using home = new SealedHome();
  const served = await home.run(["serve"], { env: { OVERHYPED_SUBNET: "10.0.0.0/99", OVERHYPED_LOG_LEVEL: "loud" } });
  expect(served.code).toBe(2);
  for (const name of ["OVERHYPED_SUBNET", "OVERHYPED_LOG_LEVEL"]) expect(served.stderr).toContain(name);
});

test("a folder's .env, bunfig.toml and package.json mean nothing to the program", async () => {
  await using home = new SealedHome();
  const hostile = join(home.path, "hostile");
  mkdirSync(hostile);
  writeFileSync(join(hostile, ".env"), "OVERHYPED_LOG_LEVEL=loud\n");
  writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  writeFileSync(join(hostile, "evil.ts"), 'require("node:fs").writeFileSync("owned", "")\n');
  expect((await home.run(["version"], { cwd: hostile })).code).toBe(0);
  expect((await home.run(["vms", "list"], { cwd: hostile })).stderr).not.toContain("OVERHYPED_LOG_LEVEL");
  expect(readdirSync(hostile)).not.toContain("owned");
});

test("a VM that cannot be made leaves nothing: no row, no lease, no directory", async () => {
  await using home = new SealedHome({ OVERHYPED_QEMU: "no-such-qemu" });
  await home.serve();
  const created = await home.run(["vms", "create", "demo"]);
  expect(created.code).toBe(1);
  expect(created.stderr).toContain("no-such-qemu");
  expect(JSON.parse(await home.ok(["vms", "list", "--json"])).total).toBe(0);
  for (const room of ["run", "logs"]) expect(readdirSync(join(home.path, "state", room))).toEqual([]);
});

test("an image with one flipped byte is refused, by verify and by create", async () => {
  await using home = new SealedHome();
  const images = join(home.path, "images");
  await Bun.spawn(["cp", "-r", "--reflink=auto", home.env.OVERHYPED_IMAGE_DIR ?? "", images]).exited;
  home.env.OVERHYPED_IMAGE_DIR = images;
  const id = readFileSync(join(images, "default"), "utf8").trim();
  const victim = join(images, id, "initramfs");
  chmodSync(victim, 0o600);
  const bytes = readFileSync(victim);
  bytes[1000]! ^= 1;
  writeFileSync(victim, bytes);
  const verified = await home.run(["image", "verify"]);
  expect(verified.code).toBe(1);
  expect(verified.stdout + verified.stderr).toContain("initramfs");
  await home.serve();
  const created = await home.run(["vms", "create", "demo"]);
  expect(created.code).toBe(1);
  expect(created.stderr).toContain("image_invalid");
  expect(created.stderr).toContain("initramfs");
});

test("output that nobody reads on ends quietly", async () => {
  await using home = new SealedHome();
  const child = Bun.spawn(["/bin/sh", "-c", `"${HYPE}" --help | head -n 1`], {
    env: home.env,
    stdout: "pipe",
    stderr: "pipe",
  });
  expect((await new Response(child.stdout).text()).split("\n").length).toBe(2);
  expect(await new Response(child.stderr).text()).toBe("");
});
