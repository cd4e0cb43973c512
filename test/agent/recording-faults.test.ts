import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import * as v from "valibot";
import { Navigate, ReadRecording, type Recording, StartRecording } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram, processesOf } from "../lib/chromium.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

/** Recordings on a disk that is full, of a browser that stands still, of a tab that dies. */
setDefaultTimeout(60_000);
const PAGES = {
  "/noise": `<!doctype html><title>noise</title><body style="margin:0"><canvas id=c width=1280 height=720></canvas><script>
    const g = c.getContext("2d"); (function draw() {
      const d = g.createImageData(1280, 720); for (let i = 0; i < d.data.length; i++) d.data[i] = Math.random() * 256;
      g.putImageData(d, 0, 0); requestAnimationFrame(draw) })()</script>`,
  "/red": `<!doctype html><title>red</title><body style="background:rgb(255,0,0)">`,
  "/blue": `<!doctype html><title>blue</title><body style="background:rgb(0,0,255)">`,
};
const isRoot = process.getuid?.() === 0;
let browsing: Browsing;
let player: Page;
let closePlayer = async () => {};
beforeAll(async () => {
  browsing = await startBrowsing(PAGES);
  const browser = await chromium.launch({ executablePath: chromiumProgram(), args: isRoot ? ["--no-sandbox"] : [] });
  closePlayer = () => browser.close();
  player = await browser.newPage();
}, 60_000);
afterAll(async () => {
  await closePlayer();
  await browsing[Symbol.asyncDispose]();
});

const start = (guest: Guest, more: object = {}) => guest.recordings.start(v.parse(StartRecording, more));
const ended = (guest: Guest, id: string) => guest.recordings.get({ id, wait: true, timeout_ms: 30_000 });
const stop = (guest: Guest, id: string) => guest.recordings.stop({ id, timeout_ms: 20_000 });
const remove = (guest: Guest, id: string) => guest.recordings.delete({ id, timeout_ms: 10_000 });
const go = (guest: Guest, path: string) => guest.navigate(v.parse(Navigate, { url: browsing.site.origin + path }));

async function film(guest: Guest, id: string): Promise<Buffer> {
  const { bytes } = await guest.recordings.read(v.parse(ReadRecording, { id }), AbortSignal.timeout(30_000));
  return Buffer.concat(await Array.fromAsync(bytes));
}

/** As Chromium's own <video> has it: the length, and the colours at the beginning and at the end. */
async function play(bytes: Buffer): Promise<{ seconds: number; first: number[]; last: number[] }> {
  await player.setContent("<video muted></video><canvas width=1 height=1></canvas>");
  return player.evaluate(async (data) => {
    const video = document.querySelector("video")!;
    const pen = document.querySelector("canvas")!.getContext("2d")!;
    await new Promise<void>((done, fail) => {
      video.onloadeddata = () => done();
      video.onerror = () => fail(new Error(video.error?.message));
      video.src = `data:video/webm;base64,${data}`;
    });
    const at = async (time: number) => {
      // "seeked" may come before the picture it stands for, and no picture where it is the same one (measured, version 156).
      const drawn = new Promise((done) => {
        video.requestVideoFrameCallback(done);
        video.onseeked = () => setTimeout(done, 1_000);
      });
      video.currentTime = time;
      await drawn;
      pen.drawImage(video, 0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const seconds = video.duration;
    return { seconds, first: await at(0.01), last: await at(seconds - 0.01) };
  }, bytes.toString("base64"));
}
const named = ([red = 0, , blue = 0]: number[]) =>
  red > 200 && blue < 60 ? "red" : blue > 200 && red < 60 ? "blue" : `${red}, ${blue}`;
/** Opens a page and waits until it is drawn; a while more, for what was drawn to be recorded. */
async function show(path: string): Promise<string> {
  const { tab } = await browsing.open(path);
  await browsing.value("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))", { tab });
  return tab;
}

/** A file system of so many MB for recordings, in a mount namespace of the agent's own. */
const smallDisk = (size: number) => (directory: string) => {
  const place = `${directory}/profile-recordings`;
  const mount = `mkdir -p '${place}' && mount -t tmpfs -o size=${size}m tmpfs '${place}' && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", mount, "agent"];
};

test.skipIf(!isRoot)(
  "a disk that fills up ends the recording, and what was seen until then can be played",
  async () => {
    await using agent = await startAgent({ wrap: smallDisk(72) });
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(60_000);
    await go(guest, "/noise");
    const { id } = await start(guest, { fps: 30, quality: 95 });
    const told = await ended(guest, id);
    expect(told).toMatchObject({
      state: "finished",
      ended_by: "disk_full",
      error: expect.stringContaining("bytes are free"),
    });
    expect(told.frames).toBeGreaterThan(1);
    const bytes = await film(guest, id);
    expect(bytes.length).toBe(told.bytes);
    expect(Math.abs((await play(bytes)).seconds * 1000 - told.duration_ms)).toBeLessThan(50);
    // There is room again when it is deleted.
    await remove(guest, id);
    await go(guest, "/red");
    const next = await start(guest);
    expect(await stop(guest, next.id)).toMatchObject({ ended_by: "stop" });
  },
);

test.skipIf(!isRoot)("on a disk that is full from the beginning nothing is begun, and why is said", async () => {
  await using agent = await startAgent({ wrap: smallDisk(32) });
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  await go(guest, "/red");
  expect(await refused("guest_disk_full", start(guest))).toContain("bytes are free");
  expect((await guest.recordings.list({ timeout_ms: 10_000 })).items).toEqual([]);
});

test.skipIf(!isRoot)("not a byte more fits: the film is as it was before that picture, and ends well", async () => {
  using directory = temporaryDirectory();
  const script = directory.join("fill.ts");
  writeFileSync(
    script,
    `import { Film } from ${JSON.stringify(new URL("../../agent/recording/film.ts", import.meta.url).pathname)};
    const [place] = process.argv.slice(2);
    const film = new Film(place + "/film.mkv", "mkv");
    const picture = new Uint8Array(100_000).fill(7);
    let code;
    try { for (let at = 0; ; at += 400) film.add(picture, { width: 16, height: 16 }, at); } catch (thrown) { code = thrown.code; }
    const { frames, bytes } = film;
    film.close(60_000);
    const whole = new Uint8Array(await Bun.file(place + "/film.mkv").arrayBuffer());
    let pictures = 0;
    for (let at = 0; (at = Buffer.from(whole.buffer).indexOf(Buffer.alloc(100_000, 7), at)) >= 0; at += 100_000) pictures++;
    console.log(JSON.stringify({ code, frames, bytes, after: whole.length, pictures }));`,
  );
  const place = directory.join("disk");
  const mount = `mkdir '${place}' && mount -t tmpfs -o size=2m tmpfs '${place}' && exec "$@"`;
  const child = Bun.spawn(["unshare", "--mount", "sh", "-c", mount, "fill", process.execPath, script, place], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const told = JSON.parse(await new Response(child.stdout).text()) as Record<string, number | string>;
  expect(await child.exited).toBe(0);
  expect(told).toMatchObject({ code: "ENOSPC", frames: 20, pictures: 20 });
  expect(told.after as number).toBeGreaterThanOrEqual(told.bytes as number);
});

/** Chromium ends processes it needs no more whenever it likes. */
function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ESRCH") throw thrown;
    }
}

test("a browser that stands still for two seconds: the film has them, and goes on", async () => {
  const { guest } = browsing;
  const shown = await show("/red");
  const { tab } = await browsing.openTab({ url: `${browsing.site.origin}/blue`, background: true });
  const clock = await start(guest, { tab, max_seconds: 2 });
  const { id } = await start(guest, { tab: shown });
  const pids = processesOf((await guest.health()).chromium.pid!);
  let paused: Recording;
  try {
    signalAll(pids, "SIGSTOP");
    await refused("operation_timeout", browsing.value("1", { timeout_ms: 300 }));
    paused = await ended(guest, clock.id); // the agent's own clock runs on
  } finally {
    signalAll(pids, "SIGCONT");
  }
  expect(paused).toMatchObject({ state: "finished", ended_by: "max_seconds" });
  await show("/blue");
  const told = await stop(guest, id);
  expect(told).toMatchObject({ state: "finished", ended_by: "stop", error: null });
  expect(told.duration_ms).toBeGreaterThan(1_900);
  const played = await play(await film(guest, id));
  expect([played.first, played.last].map(named)).toEqual(["red", "blue"]);
  expect(played.seconds * 1000).toBeCloseTo(told.duration_ms, -2);
  expect(named((await play(await film(guest, clock.id))).last)).toBe("blue");
  for (const one of [id, clock.id]) await remove(guest, one);
  await guest.closeTab({ tab, timeout_ms: 10_000 });
});

test("stopped while the browser stands still, a recording is whole at once", async () => {
  const { guest } = browsing;
  await show("/red");
  const { id } = await start(guest);
  const pids = processesOf((await guest.health()).chromium.pid!);
  let told: Recording;
  try {
    signalAll(pids, "SIGSTOP");
    told = await stop(guest, id);
    expect(named((await play(await film(guest, id))).last)).toBe("red");
  } finally {
    signalAll(pids, "SIGCONT");
  }
  expect(told).toMatchObject({ state: "finished", ended_by: "stop" });
  await remove(guest, id);
  expect((await browsing.open("/blue")).title).toBe("blue");
});

test("a tab whose renderer dies while it is recorded: the film goes on with its next page", async () => {
  const { guest } = browsing;
  await show("/red");
  const { id } = await start(guest);
  await refused("navigation_failed", browsing.open("chrome://crash"));
  await show("/blue");
  const told = await stop(guest, id);
  expect(told).toMatchObject({ state: "finished", ended_by: "stop" });
  const played = await play(await film(guest, id));
  expect([played.first, played.last].map(named)).toEqual(["red", "blue"]);
  await remove(guest, id);
});
