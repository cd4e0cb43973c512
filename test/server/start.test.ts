import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import { type Config, loadConfig } from "../../src/config/load.ts";
import { paths } from "../../src/config/paths.ts";
import { createLog } from "../../src/log/log.ts";
import { startServer } from "../../src/server/start.ts";

let home: string;
let lines: string[];
let config: Config;
const log = createLog({ level: "info", write: (line) => lines.push(line) });
const client = (url: string) => connect({ base: url, key: readFileSync(paths.adminKey(config), "utf8").trim() });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "hype-start-"));
  lines = [];
  config = loadConfig({ OVERHYPED_HOME: join(home, "state"), OVERHYPED_API_LISTEN: "127.0.0.1:0" });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("startServer", () => {
  test("an empty state becomes a server that answers", async () => {
    await using server = await startServer({ config, log });
    expect(await client(server.url).vms.list()).toEqual({ items: [], total: 0 });
    expect(statSync(config.home).mode & 0o777).toBe(0o700);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: "ok" });
    const status = await client(server.url).system.status();
    expect(status.vms.total).toBe(0);
    expect(status.host.memory_total_mb).toBeGreaterThan(0);
    expect(status.network.leases_total).toBeGreaterThan(0);
  });

  test("without an image a creation says what is missing", async () => {
    await using server = await startServer({ config, log });
    await expect(client(server.url).vms.create({ name: "demo" })).rejects.toMatchObject({ code: "image_not_found" });
    expect((await client(server.url).vms.list()).total).toBe(0);
  });

  test("without a hypervisor the server starts and says why", async () => {
    config = { ...config, qemu: join(home, "no-qemu") };
    const warned = Promise.withResolvers<string>();
    const listening = createLog({
      level: "info",
      write: (line) => void (line.includes("no VM can be started") && warned.resolve(line)),
    });
    await using server = await startServer({ config, log: listening });
    expect(await warned.promise).toContain("no-qemu");
    const { hypervisor } = await client(server.url).system.status();
    expect(hypervisor).toMatchObject({ name: null, reason: expect.stringContaining("no-qemu") });
  });

  test("a second server on the same state is refused and harms nothing", async () => {
    await using first = await startServer({ config, log });
    await expect(startServer({ config, log })).rejects.toMatchObject({ code: "state_locked" });
    expect((await client(first.url).vms.list()).total).toBe(0);
  });

  test("a taken port is an error that leaves the state free", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const taken = { ...config, listen: { host: "127.0.0.1", port: other.port ?? 0 } };
    await expect(startServer({ config: taken, log })).rejects.toMatchObject({
      code: "port_taken",
      message: `127.0.0.1:${other.port} is taken`,
    });
    await other.stop(true);
    await using server = await startServer({ config: taken, log });
    expect(server.url).toBe(`http://127.0.0.1:${taken.listen.port}`);
  });

  test("an address that is not this machine's", async () => {
    const elsewhere = { ...config, listen: { host: "192.0.2.1", port: 0 } };
    await expect(startServer({ config: elsewhere, log })).rejects.toMatchObject({ code: "port_taken" });
  });

  test("IPv6 and wildcards give URLs that work", async () => {
    for (const [host, name] of [
      ["::1", "[::1]"],
      ["0.0.0.0", "127.0.0.1"],
    ] as const) {
      await using server = await startServer({ config: { ...config, listen: { host, port: 0 } }, log });
      expect(new URL(server.url).hostname).toBe(name);
      expect(await client(server.url).health()).toBe(true);
    }
  });

  test("tokens and keys survive a restart", async () => {
    const first = await startServer({ config, log });
    const key = readFileSync(paths.adminKey(config), "utf8");
    const signing = readFileSync(paths.signingKey(config), "utf8");
    await first.close();
    await using _second = await startServer({ config, log });
    expect(readFileSync(paths.adminKey(config), "utf8")).toBe(key);
    expect(readFileSync(paths.signingKey(config), "utf8")).toBe(signing);
    expect(lines.join("")).not.toContain(key.trim());
  });

  test("a damaged database is refused, untouched, and the lock is dropped", async () => {
    await (await startServer({ config, log })).close();
    writeFileSync(config.dbPath, "this is no database, but it is somebody's");
    rmSync(`${config.dbPath}-wal`, { force: true });
    for (let count = 0; count < 2; count++)
      await expect(startServer({ config, log })).rejects.toMatchObject({ code: "state_damaged" });
    expect(readFileSync(config.dbPath, "utf8")).toBe("this is no database, but it is somebody's");
  });

  test.skipIf(process.getuid?.() === 0)("a state directory that cannot be written", async () => {
    await (await startServer({ config, log })).close();
    chmodSync(config.home, 0o500);
    await expect(startServer({ config, log })).rejects.toMatchObject({ code: "state_unwritable" });
    chmodSync(config.home, 0o700);
  });
});

describe("close", () => {
  test("ends streams with a reason, takes no more calls, is harmless twice", async () => {
    const server = await startServer({ config, log });
    const key = readFileSync(paths.adminKey(config), "utf8").trim();
    const stream = await fetch(`${server.url}/api/v1/events/vms`, { headers: { authorization: `Bearer ${key}` } });
    await Promise.all([server.close(), server.close()]);
    expect(await stream.text()).toContain('"code":"shutting_down"');
    await expect(client(server.url).health()).rejects.toMatchObject({ code: "server_unreachable" });
    await server.close();
  });

  test("is not held up by a connection that stays open and says nothing", async () => {
    const server = await startServer({ config, log });
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(server.url).port),
      socket: { data() {} },
    });
    const startedAt = performance.now();
    await server.close(200);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    socket.end();
    expect(existsSync(paths.serverLock(config))).toBe(true);
    await using _again = await startServer({ config, log });
  });
});
