import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Browsing, startBrowsing } from "../lib/browsing.ts";
import { chromiumProgram } from "../lib/chromium.ts";
import { temporaryDirectory } from "../lib/temporary.ts";
import { KEY, startTestServer, type TestServer } from "../server/harness.ts";
import { Reader } from "./lib.ts";

setDefaultTimeout(60_000);

/** Where a person looking at the pictures of this test wants them; else nowhere. */
const PICTURES = process.env.OVERHYPED_TEST_PICTURES;
const EXAMPLE = `<!doctype html><title>Example Domain</title>
<style>body{font:24px sans-serif;margin:15vh auto;width:40rem}</style><h1>Example Domain</h1><p>A page to look at.</p>`;

/** example.com as the guest's browser finds it: ours. */
let files: ReturnType<typeof temporaryDirectory>;
let example: Bun.Server<unknown>;
let browsing: Browsing;
let server: TestServer;
let person: Browser;

beforeAll(async () => {
  files = temporaryDirectory();
  await Bun.$`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${files.join("key")} -out ${files.join("crt")} -days 30 -subj /CN=example.com`.quiet();
  chmodSync(files.join("key"), 0o600);
  example = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: Bun.file(files.join("crt")), key: Bun.file(files.join("key")) },
    fetch: () => new Response(EXAMPLE, { headers: { "content-type": "text/html" } }),
  });
  browsing = await startBrowsing({}, [
    `'--host-resolver-rules=MAP example.com:443 127.0.0.1:${example.port}'`,
    "--ignore-certificate-errors",
  ]);
  server = startTestServer();
  server.engine.add("web");
  server.engine.guests.set("web", browsing.guest);
  person = await chromium.launch({ executablePath: chromiumProgram(), args: ["--no-sandbox"] });
});
afterAll(async () => {
  await person?.close();
  await server?.[Symbol.asyncDispose]();
  await browsing?.[Symbol.asyncDispose]();
  await example?.stop(true);
  files?.[Symbol.dispose]();
});

/** The page as a person has it, with every complaint of the browser about it. */
async function visit(path: string, options: Parameters<Browser["newPage"]>[0] = {}) {
  const page = await person.newPage({ viewport: { width: 1200, height: 800 }, ...options });
  const complaints: string[] = [];
  page.on("console", (message) => {
    // The client's schemas try whether they may compile themselves. Here they may not, and do without.
    const isProbe = message.text().startsWith("This document requires 'TrustedScript' assignment");
    if (message.type() === "error" && !isProbe) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${server.url}${path}`);
  return { page, complaints };
}
const say = async (page: Page, text: string) => {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
};
const quiet = (page: Page) => page.locator("body[data-busy=false]").waitFor();
const look = async (page: Page, name: string) => {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png` });
};

test("open example: steps, the picture and the change of state; the key is typed in and the page complains of nothing", async () => {
  const { page, complaints } = await visit("/agui/demo");
  await page.getByLabel("Key of this server").fill(KEY);
  await look(page, "login");
  await page.getByRole("button", { name: "Connect" }).click();
  await page.locator("#vms li[data-vm=web] .running").waitFor();
  await say(page, "open example");
  await page.locator("#vms li[data-vm=web]", { hasText: "https://example.com" }).waitFor();
  await quiet(page);
  expect(await page.locator(".step.done strong").allTextContents()).toEqual(["Open a URL", "Screenshot"]);
  expect(await page.locator("#vms li[data-vm=web] .page").textContent()).toContain("Example Domain");
  const picture = page.getByAltText("Screenshot of the page");
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(500);
  await look(page, "open-example");
  expect(complaints).toEqual([]);
});

for (const wire of ["sse", "protobuf"] as const)
  test(`a run about one VM: page, refs, picture and state, over ${wire}`, async () => {
    const reader = await new Reader(server, { vm: "web", wire }).say(
      "/open example\n/snapshot\n/screenshot --type jpeg",
    );
    const [, snapshot, shot] = reader.of("TOOL_CALL_RESULT");
    expect(snapshot.content).toContain('heading "Example Domain"');
    expect(shot.content[1]).toMatchObject({ type: "image", source: { type: "data", mimeType: "image/jpeg" } });
    expect(Buffer.from(shot.content[1].source.value, "base64").subarray(0, 2).toString("hex")).toBe("ffd8");
    expect(reader.state.vms.web).toMatchObject({ url: "https://example.com/", title: "Example Domain" });
    expect(reader.said).toContain("- Open a URL: Example Domain (https://example.com/)");
    expect(reader.finished.result.operations).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  });

test("a question is asked and answered by a click; a narrow and dark window shows it, too", async () => {
  const { page, complaints } = await visit(`/agui/demo#key=${KEY}`, {
    viewport: { width: 390, height: 800 },
    colorScheme: "dark",
  });
  expect(page.url()).not.toContain(KEY);
  server.engine.add("old");
  await page.locator("#vms li[data-vm=old]").waitFor();
  await say(page, "delete old");
  await page.getByText("Delete the VM old").waitFor();
  await look(page, "question");
  await page.getByRole("button", { name: "Decline" }).click();
  await quiet(page);
  expect(server.engine.rows.has("old")).toBe(true);
  await say(page, "delete old");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.locator("#vms li[data-vm=old]").waitFor({ state: "detached" });
  expect(server.engine.rows.has("old")).toBe(false);
  expect(complaints).toEqual([]);
});

test("what is said by a page or a person stays text", async () => {
  const { page, complaints } = await visit(`/agui/demo#key=${KEY}`);
  await say(page, `<img src=x onerror="document.title='owned'">`);
  await quiet(page);
  await page.getByText("I do not understand").waitFor();
  expect(await page.locator("#entries img").count()).toBe(0);
  expect(await page.title()).toBe("OVERHYPED · AG-UI");
  expect(complaints).toEqual([]);
});

test("a wrong key is told", async () => {
  const { page } = await visit(`/agui/demo#key=hype_${"x".repeat(43)}`);
  await page.getByText("Connection lost").waitFor();
  await say(page, "help");
  await page.locator(".failed", { hasText: "401" }).waitFor();
});
