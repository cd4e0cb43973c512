import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import { HYPE, SealedHome, type Served } from "../lib/hype.ts";

setDefaultTimeout(180_000); // a VM boots under software emulation

/** The built program in tmux, as people run it, against a real server and a real VM. */
let home: SealedHome;
let server: Served;
const tmux = async (...args: string[]): Promise<string> => {
  const child = Bun.spawn(["tmux", "-S", join(home.path, "tmux"), ...args], {
    env: { ...home.env, TERM: "xterm-256color" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, said, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`tmux ${args[0]}: ${said}`);
  return text;
};
/** The screen as a person sees it; with its colours where pictures are compared. */
const screen = (coloured = false) => tmux("capture-pane", "-p", ...(coloured ? ["-e"] : []));
const press = (...keys: string[]) => tmux("send-keys", ...keys);
const type = (text: string) => tmux("send-keys", "-l", text);

/** tmux tells nobody that its screen changed: it is looked at until it shows what is waited for. */
async function until(
  wanted: string | ((shown: string) => boolean),
  timeoutMs = 120_000,
  coloured = false,
): Promise<string> {
  for (const end = performance.now() + timeoutMs; ; await Bun.sleep(100)) {
    const shown = await screen(coloured);
    if (typeof wanted === "string" ? shown.includes(wanted) : wanted(shown)) return shown;
    if (performance.now() > end) throw new Error(`no screen with ${String(wanted)}; the last one:\n${shown}`);
  }
}

beforeAll(async () => {
  home = new SealedHome();
  server = await home.serve();
  await tmux("new-session", "-d", "-x", "120", "-y", "36", HYPE);
});
afterAll(async () => {
  await tmux("kill-server").catch(() => {}); // it ended with its last window
  await home[Symbol.asyncDispose]();
});

test("create, watch the boot, open a page, see its picture change, delete, leave", async () => {
  await until("No VMs. Press c to create one.");
  await press("c");
  await until("Create a VM");
  await type("demo");
  await press("Enter");
  await until((shown) => /demo +◔ (starting|kernel|agent|browser)/.test(shown));
  await until("✔ machine");
  await until((shown) => /demo +● running/.test(shown));
  await until("demo is running");
  await press("Escape");
  await until((shown) => !shown.includes("demo is running"));

  await press("v");
  await until("Open in demo");
  await type("data:text/html,<title>First</title><body style='background:red'>");
  await press("Enter");
  await until("demo shows First");
  await press("Enter");
  await until("1 overview");
  /** Half blocks of one of these colours of the 256 that tmux has (ISO 8613-6), one beside the other. */
  const shows =
    (...colours: number[]) =>
    (shown: string) =>
      colours.some((colour) => new RegExp(`38;5;${colour}m[^\\n]{0,20}█{5}`).test(shown));
  await until(shows(9, 196), 60_000, true);
  const client = connect({ base: server.url, key: server.key });
  await client.browser.navigate("demo", { url: "data:text/html,<title>Second</title><body style='background:blue'>" });
  await until(shows(12, 21), 60_000, true);
  await until("Second");

  await press("3");
  await until("hype-agent: listening");
  await press("Escape");
  await until((shown) => shown.includes("NAME▲"));
  await press("D");
  await until("Delete demo?");
  await press("y");
  await until("No VMs. Press c to create one.");
  expect((await client.vms.list()).items).toEqual([]);
  await press("q");
  while ((await tmux("list-sessions").catch(() => "")) !== "") await Bun.sleep(50);
});
