import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Browsing, refIn, refused, startBrowsing } from "../lib/browsing.ts";

/** The same with every site in a process of its own: its frames have DevTools sessions of their own. */
let b: Browsing;
beforeAll(async () => {
  b = await startBrowsing(
    {
      "/spinning":
        "<!doctype html><title>Spinning</title><h1>Here</h1><iframe src='/hang'></iframe><iframe src='{other}/spins' title=Spins></iframe>",
      "/spins":
        "<button>Spins</button><script>const ask=new XMLHttpRequest();ask.open('GET','/hang?spins',false);ask.send()</script>",
      "/moves": "<!doctype html><title>Moves</title><iframe src='/inner' title=It></iframe>",
    },
    ["--site-per-process"],
  );
}, 60_000);
afterAll(() => b[Symbol.asyncDispose]());

test("a frame of another site has a process of its own, and is seen, clicked, filled and evaluated in all the same", async () => {
  await b.open("/frames");
  const { bytes } = await b.guest.cdpJson("/json/list");
  expect(
    JSON.parse(new TextDecoder().decode(bytes)).filter(({ type }: { type: string }) => type === "iframe"),
  ).toHaveLength(1);
  const before = await b.snapshot();
  for (const nth of [0, 1]) {
    await b.act("click", { ref: refIn(before, "Press me", nth) });
    await b.act("type", { ref: refIn(before, 'textbox "Word"', nth), text: "in here" });
    await b.act("click", { ref: refIn(before, "Deepest", nth) });
  }
  const after = await b.snapshot();
  expect(after.match(/button "pressed true"/g)).toHaveLength(2);
  expect(after.match(/button "deep"/g)).toHaveLength(2);
  expect(after.match(/: in here/g)).toHaveLength(2);
  expect(refIn(after, "pressed true", 1)).toBe(refIn(before, "Press me", 1));
  expect(await b.value("(e) => [e.value, location.hostname]", { frame: "[title=Other]", selector: "input" })).toEqual([
    "in here",
    "localhost",
  ]);
  expect(await b.content({ format: "text", frame: "[title=Other]" })).toContain("pressed true");
});

test("a frame that goes to another site and back is followed; refs of what it showed are stale", async () => {
  await b.open("/moves");
  const first = refIn(await b.snapshot(), "Press me");
  for (const origin of [b.site.other, b.site.origin]) {
    await b.value("(e, url) => new Promise((done) => { e.onload = done; e.src = url; })", {
      selector: "iframe",
      args: [`${origin}/inner?2`],
    });
    await refused("stale_ref", b.act("click", { ref: first }));
    const ref = refIn(await b.snapshot(), "Press me");
    await b.act("click", { ref });
    expect(await b.snapshot()).toContain("pressed true");
  }
  const last = refIn(await b.snapshot(), "pressed true");
  await b.value("document.querySelector('iframe').remove()");
  await refused("stale_ref", b.act("click", { ref: last }));
});

test("a frame that never answers costs only its own part", async () => {
  await b.open("/spinning", { wait_until: "commit" });
  await b.site.asked("/hang?spins"); // its process stands still now
  const yaml = await b.snapshot({ timeout_ms: 20_000 });
  expect(yaml).toContain('heading "Here"');
  expect(yaml).toMatch(/iframe "Spins" .*\n.*this frame does not answer/);
  await b.open("/");
  expect(await b.snapshot()).toContain('heading "Hello"');
}, 30_000);
