import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { connect } from "../../src/client/client.ts";
import type { Client } from "../../src/client/types.ts";
import { Guest } from "../../src/guest/guest.ts";
import { hype } from "../cli/harness.ts";
import { type RunningAgent, startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "./harness.ts";

setDefaultTimeout(60_000);
let server: TestServer;
let agent: RunningAgent;
let client: Client;
const directory = temporaryDirectory();
beforeAll(async () => {
  server = startTestServer();
  server.engine.add("demo");
  agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(30_000);
  server.engine.guests.set("demo", guest);
  client = connect({ base: server.url, key: KEY });
  await drive(guest).navigate("data:text/html,<body style='background:red'>film");
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const EBML = "1a45dfa3";
const list = async () => (await client.browser.operate("demo", "list-recordings", {})).items;
const record = (argv: string[], interrupt?: AbortController) =>
  hype(["record", "demo", ...argv], {
    connect: async () => client,
    cwd: directory.path,
    ...(interrupt && { interrupt }),
  });

test("a film by the API: whole, in part, kept on the host", async () => {
  const { id } = await client.browser.operate("demo", "start-recording", { format: "mkv" });
  const path = `/api/v1/vms/demo/browser/recordings/${id}`;
  expect((await server.call(path)).status).toBe(409);
  const kept: string[] = [];
  const told = await client.browser.operate(
    "demo",
    "stop-recording",
    {},
    { keep: true, keepAs: "visit.mkv", onKept: (artifact) => kept.push(artifact) },
  );
  expect(told).toMatchObject({ id, state: "finished", ended_by: "stop" });
  const whole = await server.call(path);
  expect(whole.headers.get("content-type")).toBe("video/x-matroska");
  expect(whole.headers.get("content-disposition")).toBe('attachment; filename="demo.mkv"');
  const bytes = Buffer.from(await whole.arrayBuffer());
  expect(bytes.length).toBe(told.bytes);
  expect(bytes.toString("hex", 0, 4)).toBe(EBML);
  const part = await server.call(path, { headers: { range: "bytes=2-5" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 2-5/${told.bytes}`]);
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(2, 6))).toBe(true);
  expect(await client.artifacts.get(kept[0]!)).toMatchObject({
    kind: "recording",
    name: "visit.mkv",
    content_type: "video/x-matroska",
    size_bytes: told.bytes,
  });
  await client.browser.operate("demo", "delete-recording", { id });
  expect((await server.call(path)).status).toBe(404);
});

test("hype record: for a time, and until Ctrl-C; the guest keeps nothing", async () => {
  const timed = await record(["--seconds", "1", "-o", "timed.webm", "--json"]);
  expect(timed.stderr).toBe("");
  const told = JSON.parse(timed.stdout);
  expect(told).toMatchObject({ file: "timed.webm", recording: { ended_by: "max_seconds", format: "webm" } });
  expect(statSync(directory.join("timed.webm")).size).toBe(told.bytes);
  expect(await list()).toEqual([]);

  const kept = JSON.parse((await record(["--seconds", "1", "-o", "kept.mkv", "--keep", "--json"])).stdout);
  expect(await client.artifacts.get(kept.artifact)).toMatchObject({ kind: "recording", size_bytes: kept.bytes });

  const interrupt = new AbortController();
  const running = record([], interrupt);
  while (!(await list()).some(({ state }) => state === "recording"));
  interrupt.abort();
  const { code, stdout } = await running;
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^demo\.webm {2}\S+ \S+ {2}\d+\.\d s\n$/),
  });
  expect(await list()).toEqual([]);
});

test("what cannot be is said before anything is recorded", async () => {
  expect((await record(["-o", "film.avi"])).stderr).toContain("film.avi: a film is a .webm or .mkv file");
  const there = await record(["-o", "timed.webm"]);
  expect([there.code, there.stderr.includes("is there already")]).toEqual([2, true]);
  expect(await list()).toEqual([]);
  await refused("recording_conflict", client.browser.operate("demo", "stop-recording", {}));
});
