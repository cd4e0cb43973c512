import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { TAB_IDLE_MS } from "../../src/tools/tab-memory.ts";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { openLive } from "../server/live-client.ts";
import { connectClient, type McpClient } from "./world.ts";

setDefaultTimeout(60_000); // a real Chromium

let server: TestServer;
let browsing: Browsing;
let mcp: McpClient;
beforeAll(async () => {
  server = startTestServer();
  browsing = await startBrowsing({
    "/pick": `<title>Pick</title><input type=file multiple><pre></pre><script>
      document.querySelector("input").onchange = async ({ target }) => document.querySelector("pre").textContent =
        (await Promise.all([...target.files].map(async (file) => file.name + "=" + await file.text()))).join(";") || "none";
      </script><a href="data:text/plain,saved" download="note.txt">Save</a>`,
  });
  server.engine.add("demo");
  server.engine.guests.set("demo", browsing.guest);
  mcp = await connectClient(`${server.url}/mcp?tools=all`, "auto");
});
afterAll(async () => {
  await mcp[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
});

const call = (name: string, args: object = {}) => mcp.call(name, { vm: "demo", ...args });
const must = async (name: string, args: object = {}) => {
  const said = await call(name, args);
  expect(said.isError, said.text).toBe(false);
  return said;
};
const shown = async (): Promise<string> =>
  (await must("browser_evaluate", { function: "() => document.querySelector('pre').textContent" })).text;

test("files of every source come to the page under their names", async () => {
  const vm = server.engine.get("demo");
  const bytes = Buffer.from("kept on the host");
  const { id } = await server.artifacts.keep({ kind: "other", name: "k", contentType: "text/plain", vm }, bytes);
  await must("vm_put_file", { name: "a b.txt", artifact: id });
  await must("vm_put_file", { name: "ü.txt", text: "grüße" });
  const put = await must("vm_put_file", { name: "c.bin", base64: Buffer.from("three").toString("base64") });
  expect(put.text).toContain("c.bin is in demo, 5 bytes");
  await must("vm_put_file", { name: "empty", text: "" });
  await must("browser_navigate", { url: `${browsing.site.origin}/pick` });
  const chosen = await must("browser_file_upload", { files: ["a b.txt", "ü.txt", "c.bin", "empty"] });
  expect(chosen.text).toContain("4 files");
  await must("browser_wait_for", { text: "empty=" });
  expect(await shown()).toContain("a b.txt=kept on the host;ü.txt=grüße;c.bin=three;empty=");
  await must("browser_file_upload", {}); // takes them away
  await must("browser_wait_for", { text: "none" });
});

test.each([
  ["nothing to put", { name: "a" }, "exactly one of"],
  ["two sources", { name: "a", text: "a", base64: "YQ==" }, "exactly one of"],
  ["no base64", { name: "a", base64: "?" }, "is not base64"],
  ["a path for a name", { name: "../a", text: "a" }, "plain name"],
  ["an artifact that is not there", { name: "a", artifact: Bun.randomUUIDv7() }, "artifact_not_found"],
])("%s is refused", async (_what, args, words) => {
  const said = await call("vm_put_file", args);
  expect(said).toMatchObject({ isError: true });
  expect(said.text).toContain(words);
});

test("a file that was not put is said to be missing; names and paths are not mixed", async () => {
  await must("browser_navigate", { url: `${browsing.site.origin}/pick` });
  expect((await call("browser_file_upload", { files: ["nothing.txt"] })).text).toContain("upload_not_found");
  expect((await call("browser_file_upload", { files: ["a"], paths: ["/a"] })).isError).toBe(true);
});

test("a download is waited for, and told once", async () => {
  await must("browser_navigate", { url: `${browsing.site.origin}/pick` });
  await must("browser_click", { target: "a" });
  const waited = await must("browser_wait_for", { download: "note*" });
  expect(waited.text).toContain("note.txt: completed, 5 of 5 bytes");
  const late = await call("browser_wait_for", { download: "*", timeout_ms: 200 });
  expect(late.text).toContain("operation_timeout");
});

test("a video is kept on the host, and leaves the guest", async () => {
  await must("browser_navigate", { url: `${browsing.site.origin}/pick` });
  expect((await call("browser_stop_video")).text).toContain("browser_start_video begins");
  const begun = await must("browser_start_video", { format: "mkv" });
  expect(begun.text).toContain("runs");
  const kept = await must("browser_stop_video", { name: "visit.mkv" });
  const { uri } = kept.content.find(({ type }) => type === "resource_link") as unknown as { uri: string };
  const { contents } = await mcp.client.readResource({ uri });
  const { blob, mimeType } = contents[0] as { blob: string; mimeType: string };
  expect(mimeType).toBe("video/x-matroska");
  expect(Buffer.from(blob, "base64").toString("hex", 0, 4)).toBe("1a45dfa3"); // EBML
  expect((await mcp.call("artifact_list", { kind: "recording" })).text).toContain("visit.mkv");
  expect((await browsing.guest.recordings.list({ timeout_ms: 10_000 })).items).toEqual([]);
});

test("a person opens the link an agent gave, takes over, and gives back: the agent goes on", async () => {
  const offered = await must("browser_take_over", { reason: "log in" });
  const person = openLive((offered.structured as { url: string }).url);
  await person.next("tabs");
  const waiting = must("vm_control", { wait: "returned" });
  person.send({ type: "take" });
  await person.next("control", ({ mine }) => mine === true);
  expect((await must("vm_control")).text).toContain("in the hands of a person since");
  person.send({ type: "return" });
  expect((await waiting).text).toContain("nobody's hands. Go on.");
  person.socket.close();
  await person.closed;
});

test("a change to a browser that a person has in hand says so", async () => {
  await must("browser_navigate", { url: `${browsing.site.origin}/pick` });
  server.engine.takeControl("demo", { link: null, label: "Ada" });
  expect((await must("browser_press_key", { key: "Tab" })).text).toContain("in the hands of Ada");
  expect((await must("browser_snapshot")).text).not.toContain("Ada");
  server.engine.returnControl("demo");
  expect((await must("browser_press_key", { key: "Tab" })).text).not.toContain("Ada");
});

test("what is recorded of a tab ends with its caller's session, but for what somebody else had asked for", async () => {
  const { observe } = browsing.guest;
  const now = async (tab: string) =>
    (await observe.stop({ kinds: [], tab, timeout_ms: 10_000 })).tabs[tab]?.toSorted() ?? [];
  const { tab } = await browsing.openTab({ url: `${browsing.site.origin}/pick` });
  await observe.start({ kinds: ["request"], tab, timeout_ms: 10_000 });
  {
    await using other = await connectClient(`${server.url}/mcp/vms/demo`, "legacy");
    await other.call("browser_snapshot", { tab });
    expect(await now(tab)).toEqual(["console", "exception", "request"]);
    const ended = Promise.withResolvers<void>();
    const stop = observe.stop.bind(observe);
    observe.stop = async (...asked) => {
      const told = await stop(...asked);
      if (asked[0].kinds.length > 0) ended.resolve();
      return told;
    };
    const transport = other.client.transport as unknown as { terminateSession(): Promise<void> };
    await transport.terminateSession();
    await ended.promise;
    observe.stop = stop;
  }
  expect(await now(tab)).toEqual(["request"]);
  expect(TAB_IDLE_MS).toBeGreaterThan(300_000); // no operation lasts longer: none is cut off from what it records
});
