import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import * as v from "valibot";
import { type Recording, StartRecording } from "../../src/contract/index.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram } from "../lib/chromium.ts";
import { drive } from "../lib/drive.ts";
import { isNear } from "../lib/live-watcher.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

setDefaultTimeout(60_000);

const page = (body: string) => `<!doctype html><title>film</title><body style="margin:0">${body}`;
const PAGES = {
  "/red": page(`<script>document.body.style.background = "rgb(255,0,0)"</script>`),
  "/blue": page(`<script>document.body.style.background = "rgb(0,0,255)"</script>`),
  "/moving": page(`<script>let n = 0; (function draw() {
    document.body.style.background = "hsl(" + (++n % 360) + " 80% 50%)"; requestAnimationFrame(draw) })()</script>`),
  "/noise": page(`<canvas id=c width=1280 height=700></canvas><script>const g = c.getContext("2d"); (function draw() {
    const d = g.createImageData(1280, 700); for (let i = 0; i < d.data.length; i++) d.data[i] = Math.random() * 256;
    g.putImageData(d, 0, 0); requestAnimationFrame(draw) })()</script>`),
};
const RED = [255, 0, 0];
const BLUE = [0, 0, 255];
const GREEN = [0, 128, 0];

let browsing: Browsing;
let player: Page;
let closePlayer: () => Promise<void>;
beforeAll(async () => {
  browsing = await startBrowsing(PAGES);
  const flags = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath: chromiumProgram(), args: flags });
  player = await browser.newPage();
  closePlayer = () => browser.close();
});
afterAll(async () => {
  await closePlayer();
  await browsing[Symbol.asyncDispose]();
});

const start = (more: object = {}) => browsing.guest.recordings.start(v.parse(StartRecording, more));
const stop = (id?: string) =>
  browsing.guest.recordings.stop({ ...(id === undefined ? {} : { id }), timeout_ms: 10_000 });
const ended = (id: string) => browsing.guest.recordings.get({ id, wait: true, timeout_ms: 30_000 });
const remove = (id: string) => browsing.guest.recordings.delete({ id, timeout_ms: 10_000 });
const pass = (ms: number, more: object = {}) => browsing.value(`new Promise((done) => setTimeout(done, ${ms}))`, more);
const paint = (colour: string) => browsing.value(`document.body.style.background = "${colour}", 0`);

async function film(id: string, part: { from: number; to?: number } = { from: 0 }): Promise<Buffer> {
  const { length, bytes } = await browsing.guest.recordings.read({ id, ...part }, AbortSignal.timeout(30_000));
  const whole = Buffer.concat(await Array.fromAsync(bytes));
  expect(whole.length).toBe(length!);
  return whole;
}

/** As Chromium's own <video> shows it. @returns length in seconds, size, and the middle's colour at each of the times, in seconds */
async function play(bytes: Buffer, times: (duration: number) => number[]) {
  await player.setContent("<video muted></video><canvas></canvas>");
  const size = await player.evaluate(
    ([data]) => {
      const video = document.querySelector("video")!;
      return new Promise<[number, number, number]>((done, fail) => {
        video.onloadeddata = () => done([video.duration, video.videoWidth, video.videoHeight]);
        video.onerror = () => fail(new Error(video.error?.message));
        video.src = `data:video/webm;base64,${data}`;
      });
    },
    [bytes.toString("base64")],
  );
  const colours: number[][] = [];
  for (const time of times(size[0])) colours.push(await player.evaluate(colourAt, time));
  return { duration: size[0], width: size[1], height: size[2], colours };
}

const colourAt = async (time: number) => {
  const video = document.querySelector("video")!;
  // "seeked" may come before the picture it stands for, and no picture where it is the same one (measured, version 156).
  const drawn = new Promise((done) => {
    video.requestVideoFrameCallback(done);
    video.onseeked = () => setTimeout(done, 1_000);
  });
  video.currentTime = time;
  await drawn;
  const canvas = document.querySelector("canvas")!;
  const pen = canvas.getContext("2d")!;
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  return [...pen.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3);
};

test("a film has the colours, the size and the length of what was shown, across pages", async () => {
  await browsing.open("/red");
  const { id, state, width, height, frames } = await start();
  expect({ state, width, height, frames }).toEqual({ state: "recording", width: 1280, height: 720, frames: 1 });
  await pass(1_000);
  await browsing.open("/blue");
  await pass(1_000);
  await paint("rgb(0,128,0)");
  await pass(1_000);
  const told = await stop();
  expect(told).toMatchObject({ id, state: "finished", ended_by: "stop", error: null });
  // Pages that stand still cost nothing.
  expect(told.frames).toBeLessThan(15);
  const bytes = await film(id);
  expect(bytes.length).toBe(told.bytes);
  const played = await play(bytes, (duration) => [0.5, duration / 2, duration - 0.3]);
  expect(played).toMatchObject({ width: 1280, height: 720 });
  expect(Math.abs(played.duration * 1000 - told.duration_ms)).toBeLessThan(5);
  expect(told.duration_ms).toBeGreaterThan(3_000);
  expect(isNear(played.colours[0]!, RED)).toBe(true);
  expect(isNear(played.colours[1]!, BLUE)).toBe(true);
  expect(isNear(played.colours[2]!, GREEN)).toBe(true);
  expect((await film(id, { from: 10, to: 19 })).equals(bytes.subarray(10, 20))).toBe(true);
  await refused("range_not_satisfiable", film(id, { from: bytes.length }));
  await remove(id);
  await refused("recording_not_found", film(id));
});

test("what the page shows when it is stopped is the film's last picture, however few it takes", async () => {
  await browsing.open("/red");
  const { id } = await start({ fps: 1 });
  await paint("rgb(0,0,255)");
  const told = await stop(id);
  expect(told).toMatchObject({ state: "finished", ended_by: "stop", error: null });
  const { colours, duration } = await play(await film(id), (seconds) => [0, seconds - 0.05]);
  expect(isNear(colours[0]!, RED)).toBe(true);
  expect(isNear(colours[1]!, BLUE)).toBe(true);
  expect(Math.abs(duration * 1000 - told.duration_ms)).toBeLessThan(5);
  await remove(id);
});

test.each(["webm", "mkv"] as const)("every decoder reads the %s: pictures, times, index", async (format) => {
  const ffprobe = Bun.which("ffprobe");
  if (!ffprobe) return; // Chromium's own decoder has the last word in the test before
  await browsing.open("/moving");
  const { id } = await start({ format, fps: 20, max_width: 640 });
  await pass(1_500);
  const told = await stop(id);
  using directory = temporaryDirectory();
  const file = join(directory.path, `film.${format}`);
  writeFileSync(file, await film(id));
  const run = async (...args: string[]) => {
    const child = Bun.spawn([...args, file], { stdout: "pipe", stderr: "pipe" });
    const [out, faults] = await Promise.all([
      Bun.readableStreamToText(child.stdout),
      Bun.readableStreamToText(child.stderr),
      child.exited,
    ]);
    expect(faults).toBe("");
    return JSON.parse(out) as { format: { duration: string }; streams: object[]; packets: { pts_time: string }[] };
  };
  const probed = await run(ffprobe, "-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_packets");
  expect(probed.streams).toMatchObject([{ codec_name: format === "webm" ? "vp8" : "mjpeg", width: 640, height: 360 }]);
  expect(Number(probed.format.duration)).toBeCloseTo(told.duration_ms / 1000, 2);
  expect(probed.packets.length).toBe(told.frames);
  const times = probed.packets.map(({ pts_time }) => Number(pts_time));
  expect(times[0]).toBe(0);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  await remove(id);
});

test("ends by itself at its bounds, and when its tab closes", async () => {
  await browsing.open("/noise");
  const large = await start({ max_mb: 1 });
  const full = await ended(large.id);
  expect(full).toMatchObject({ state: "finished", ended_by: "max_mb" });
  expect(full.bytes).toBeLessThanOrEqual(1.2 * 1024 * 1024);
  await browsing.open("/red");
  const long = await start({ max_seconds: 1 });
  expect(await ended(long.id)).toMatchObject({ ended_by: "max_seconds" });
  const { tab } = await browsing.openTab({ url: `${browsing.site.origin}/blue`, background: true });
  const other = await start({ tab });
  await pass(500, { tab });
  await drive(browsing.guest).post("tabs/close", { tab });
  const closed = await ended(other.id);
  expect(closed).toMatchObject({ ended_by: "tab_closed", tab });
  for (const { id } of [full, closed]) expect((await play(await film(id), () => [0])).width).toBe(1280);
  expect(isNear((await play(await film(closed.id), (duration) => [duration - 0.1])).colours[0]!, BLUE)).toBe(true);
  for (const id of [large.id, long.id, other.id]) await remove(id);
  expect((await browsing.guest.recordings.list({ timeout_ms: 10_000 })).items).toEqual([]);
});

test("several tabs at once, each tab once; what cannot be is said", async () => {
  await browsing.open("/red");
  const first = await start();
  expect(await refused("recording_conflict", start())).toContain(first.id);
  await refused("recording_conflict", film(first.id));
  const { tab } = await browsing.openTab({ url: `${browsing.site.origin}/blue`, background: true });
  const second = await start({ tab });
  await refused("recording_conflict", stop());
  await refused("recording_not_found", stop("none"));
  await refused("tab_not_found", start({ tab: "NONE" }));
  await Promise.all([stop(first.id), stop(second.id)]);
  await refused("recording_conflict", stop());
  // Again: it had ended, and is as it was.
  expect((await stop(first.id)).ended_by).toBe("stop");
  const colours = await Promise.all([first, second].map(({ id }) => film(id)));
  expect(isNear((await play(colours[0]!, () => [0])).colours[0]!, RED)).toBe(true);
  expect(isNear((await play(colours[1]!, () => [0])).colours[0]!, BLUE)).toBe(true);
  for (const { id } of [first, second]) await remove(id);
  await drive(browsing.guest).post("tabs/close", { tab });
});

test("a film whose viewport changes on the way can be played to its end", async () => {
  await browsing.open("/red");
  const { id } = await start();
  await drive(browsing.guest).post("emulate", { viewport: { width: 500, height: 800 } });
  await paint("rgb(0,128,0)");
  await pass(500);
  await drive(browsing.guest).post("reset-emulation", {});
  await stop(id);
  const { colours } = await play(await film(id), (duration) => [0, duration - 0.2]);
  expect(isNear(colours[1]!, GREEN)).toBe(true);
  await remove(id);
});

test("the death of Chromium ends a recording, and what was seen until then is kept", async () => {
  await browsing.open("/red");
  const { id } = await start();
  process.kill((await browsing.guest.health()).chromium.pid!, "SIGKILL");
  const told: Recording = await ended(id);
  expect(told).toMatchObject({ ended_by: "tab_closed", error: "Chromium ended" });
  expect(isNear((await play(await film(id), () => [0])).colours[0]!, RED)).toBe(true);
  await browsing.guest.ready(30_000);
});
