import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";
import { drive } from "../lib/drive.ts";
import { refused } from "../lib/refused.ts";
import { serveStateSite, type StateSite } from "../lib/state-site.ts";
import { temporaryDirectory } from "../lib/temporary.ts";

setDefaultTimeout(120_000); // real Chromiums start here

let site: StateSite;
let archive: Buffer;
const never = new AbortController().signal;

/** One browser's profile: a cookie that stays, one of the session, local storage. */
beforeAll(async () => {
  site = serveStateSite();
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  for (const cookie of ["login=1; Max-Age=9000", "visit=2"])
    await drive(guest).navigate(`${site.origin}/set-cookie?cookie=${encodeURIComponent(cookie)}`);
  await drive(guest).evaluate("localStorage.token = 'kept'");
  const { bytes } = await guest.profile.read(never);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  archive = Buffer.concat(chunks);
});
afterAll(() => site?.[Symbol.asyncDispose]());

async function* sent(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
/** Half of it, then nothing until it is released. */
async function* stuck(half: () => void, released: Promise<never>): AsyncGenerator<Uint8Array> {
  yield archive.subarray(0, archive.length / 2);
  half();
  await released;
}
const whatIsThere = async (guest: Guest) => {
  const browser = drive(guest);
  await browser.navigate(`${site.origin}/echo`);
  return await browser.evaluate("[JSON.parse(document.body.innerText).cookie.split('; ').sort(), localStorage.token]");
};

test("a browser waits for its profile through broken ones and an agent's death; the next agent goes on with it", async () => {
  using directory = temporaryDirectory();
  const token = "a".repeat(43);
  writeFileSync(directory.join("token"), token, { mode: 0o600 });
  const places = ["--token-file", directory.join("token"), "--user-data-dir", directory.join("profile")];
  const start = async () => {
    const agent = await startAgent({ token, flags: ["--expect-profile", ...places] });
    return { agent, guest: new Guest(agent.endpoint, agent.token) };
  };
  const first = await start();
  try {
    await refused("operation_timeout", first.guest.ready(1));
    for (const bad of [archive.subarray(0, archive.length / 2), Buffer.from("no archive"), Buffer.alloc(0)])
      await refused("invalid_request", first.guest.profile.write(sent(bad), never));
    const released = Promise.withResolvers<never>();
    const half = Promise.withResolvers<void>();
    const writing = refused(
      "guest_unreachable",
      first.guest.profile.write(stuck(half.resolve, released.promise), never),
    );
    await half.promise;
    expect((await first.guest.health()).chromium).toMatchObject({ ready: false, restarts: 0 });
    await first.agent.kill();
    await writing;
    released.reject(new Error("the end"));
  } finally {
    await first.agent[Symbol.asyncDispose]();
  }
  const second = await start();
  try {
    await refused("operation_timeout", second.guest.ready(1));
    expect(await second.guest.profile.write(sent(archive), never)).toEqual({ session_cookies: 1 });
    expect(await whatIsThere(second.guest)).toEqual([["login=1", "visit=2"], "kept"]);
    await second.guest.profile.read(never).then(async ({ bytes }) => await Array.fromAsync(bytes)); // all of it on disk
  } finally {
    await second.agent[Symbol.asyncDispose]();
  }
  const third = await start();
  try {
    await third.guest.ready(60_000);
    expect(await whatIsThere(third.guest)).toEqual([["login=1"], "kept"]);
  } finally {
    await third.agent[Symbol.asyncDispose]();
  }
});

test("one of a newer Chromium is refused by name; a browser that is to have none starts", async () => {
  const plain = zstdDecompressSync(archive);
  const version = /HeadlessChrome\/(\d+)/.exec(plain.toString("latin1"))![1]!;
  const newer = Buffer.from(
    plain.toString("latin1").replace(`HeadlessChrome/${version}`, "HeadlessChrome/999"),
    "latin1",
  );
  await using agent = await startAgent({ flags: ["--expect-profile"] });
  const guest = new Guest(agent.endpoint, agent.token);
  const message = await refused("profile_too_new", guest.profile.write(sent(zstdCompressSync(newer)), never));
  expect(message).toContain("999");

  await using other = await startAgent({ flags: ["--expect-profile"] });
  const empty = new Guest(other.endpoint, other.token);
  await refused("operation_timeout", empty.ready(1));
  await empty.profile.none(never);
  await empty.ready(60_000);
});

test("whoever sends it again is told what was taken, and the browser stays; one whose connection broke does not count", async () => {
  await using agent = await startAgent({ flags: ["--expect-profile"] });
  const guest = new Guest(agent.endpoint, agent.token);
  const released = Promise.withResolvers<never>();
  const half = Promise.withResolvers<void>();
  const gone = new AbortController();
  const broken = refused("cancelled", guest.profile.write(stuck(half.resolve, released.promise), gone.signal));
  await half.promise;
  const both = Promise.all([guest.profile.write(sent(archive), never), guest.profile.write(sent(archive), never)]);
  gone.abort();
  released.reject(new Error("the end"));
  await broken;
  expect(await both).toEqual([{ session_cookies: 1 }, { session_cookies: 1 }]);
  expect(await whatIsThere(guest)).toEqual([["login=1", "visit=2"], "kept"]);
  await drive(guest).evaluate("window.mark = 1");
  expect(await guest.profile.write(sent(archive), never)).toEqual({ session_cookies: 1 });
  expect(await drive(guest).evaluate("window.mark")).toBe(1);
  expect(agent.output().match(/Chromium is ready/g)).toHaveLength(1);
});
