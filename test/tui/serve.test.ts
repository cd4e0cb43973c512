import { expect, test } from "bun:test";
import { freePort } from "../../src/host/free-port.ts";
import { identify, isAlive } from "../../src/host/process.ts";
import { Shown } from "./pty.ts";

test("a server started from the screen outlives it, and ends as the screen said", async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}`;
  await using shown = new Shown(url, { OVERHYPED_API_LISTEN: listen });
  await shown.until("no server answers");
  shown.type("s");
  await shown.until("No VMs");
  const [, pid] = /kill (\d+)/.exec(await shown.until(/kill \d+/))!;
  const server = identify(Number(pid))!;
  try {
    shown.type("q");
    expect(await shown.ended()).toBe(0);
    await shown.restored();
    expect(isAlive(server)).toBe(true);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  } finally {
    process.kill(server.pid, "SIGTERM");
    while (isAlive(server)) await new Promise(setImmediate);
  }
}, 60_000);

test("a server that cannot be started: its log is named, nothing is left", async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  await using shown = new Shown(`http://${listen}`, { OVERHYPED_API_LISTEN: listen, OVERHYPED_DB_PATH: "/proc/none" });
  await shown.until("no server answers");
  shown.type("s");
  await shown.until("serve.log");
  await expect(fetch(`http://${listen}/healthz`)).rejects.toThrow();
}, 60_000);
