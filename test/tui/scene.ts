import { mkdirSync, writeFileSync } from "node:fs";
import type { Guest } from "../../src/guest/guest.ts";
import type { TestServer } from "../server/harness.ts";
import { NOW_MS, TuiWorld } from "./world.ts";

const TAB = { active: false, isolated: false, context: null, opener: null };
const TABS = [
  { ...TAB, id: "T1", url: "https://shop.example/basket?step=2&currency=EUR", title: "Basket (2)", active: true },
  { ...TAB, id: "T2", url: "https://mail.example/", title: "受信箱 (4)", isolated: true, context: "C" },
  ...Array.from({ length: 30 }, (_, at) => ({
    ...TAB,
    id: `T${at + 3}`,
    url: `https://docs.example/chapter/${at + 1}`,
    title: `Chapter ${at + 1}`,
  })),
];
const REQUEST = {
  kind: "request",
  state: "finished",
  method: "GET",
  resource_type: "script",
  document_url: "https://shop.example/basket",
  status: 200,
  status_text: "OK",
  mime_type: "text/javascript",
  protocol: "h2",
  remote_address: null,
  from_cache: false,
  from_service_worker: false,
  redirected_to: null,
  error: null,
  request_headers: [],
  response_headers: [],
  has_request_body: false,
  encoded_bytes: 1200,
  body_bytes: 4000,
  duration_ms: 30,
  timing: null,
};
const REQUESTS = Array.from({ length: 40 }, (_, at) => ({
  ...REQUEST,
  seq: at + 1,
  id: `r${at + 1}`,
  at: new Date(NOW_MS).toISOString(),
  tab: "T1",
  url: `https://shop.example/assets/part-${at + 1}.js`,
  status: at % 9 === 8 ? 404 : 200,
  method: at % 10 === 9 ? "POST" : "GET",
}));

const minutesAgo = (minutes: number): string => new Date(NOW_MS - minutes * 60_000).toISOString();

/** A fleet with one of everything. What comes from outside of the test's server never comes: frames are compared. */
function fleet({ engine }: TestServer): void {
  engine.add("crawl-1", { labels: { team: "data" }, created_at: minutesAgo(190) });
  engine.add("crawl-2", { labels: { team: "data" }, created_at: minutesAgo(188), status: "paused" });
  engine.add("login-check", {
    labels: { team: "qa" },
    created_at: minutesAgo(12),
    status: "crashed",
    status_reason:
      "the guest ran out of memory: Chromium was killed, and the agent with it; give it more with `hype vms resize`",
    console_tail: Array.from(
      { length: 12 },
      (_, at) => `[   ${at}.000000] Out of memory: Killed process ${900 + at}`,
    ).join("\n"),
  });
  const shop = engine.add("shop", {
    labels: { team: "qa", "example.com/owner": "anna.lee" },
    created_at: minutesAgo(44),
    kernel_cmdline: `console=ttyS0 ${"quiet loglevel=3 ".repeat(8)}`.trim(),
  });
  engine.add("spare", { created_at: minutesAgo(60 * 24 * 3), status: "stopped" });
  engine.pages.set("crawl-1", { url: "https://docs.example/guide/3", title: "Guide, chapter 3", tabs: 4 });
  engine.pages.set("shop", { url: "https://shop.example/basket?step=2&currency=EUR", title: "Basket (2)", tabs: 32 });
  shop.control = { holder: "human", link: null, label: "anna", since: shop.created_at };
  engine.guests.set("shop", {
    tabs: async () => ({ items: TABS }),
    logs: async () => Array.from({ length: 80 }, (_, at) => `agent: request ${at} took ${at * 3} ms\n`).join(""),
    screenshot: () => new Promise(() => {}),
    observe: { list: async () => ({ items: REQUESTS, dropped: 0, after: 0 }) },
  } as unknown as Guest);
  mkdirSync(`${engine.logDir}/shop`, { recursive: true });
  const log = Array.from({ length: 200 }, (_, at) =>
    at % 50 === 20
      ? `[${at}.000000] needle ${at}: ${"a long line that does not fit into a narrow terminal ".repeat(3)}`
      : `[${at}.000000] line ${at}`,
  );
  writeFileSync(`${engine.logDir}/shop/console.log`, log.map((line) => `${line}\n`).join(""));
  writeFileSync(`${engine.logDir}/shop/vmm.log`, "qemu: hello\n");
  const boot = engine.add("booting", { labels: {}, created_at: minutesAgo(0.2), status: "starting", profile: "shop" });
  const phase = (seconds: number, name: string) =>
    engine.append({
      type: "VM_BOOT_PROGRESS",
      vm_id: boot.id,
      vm_name: boot.name,
      at: new Date(Date.parse(boot.updated_at) + seconds * 1000).toISOString(),
      data: { phase: name },
    });
  phase(0.4, "spawned");
  phase(6.2, "agent");
  for (let at = 0; at < 40; at++) engine.emit(at % 2 ? "VM_PAUSED" : "VM_RESUMED", shop);
  engine.emit("VM_CRASHED", engine.get("login-check"));
}

/** The interface over a fleet with one of everything. */
export async function openScene(options: { width?: number; height?: number } = {}): Promise<TuiWorld> {
  const tui = await TuiWorld.open({ ...options, prepare: fleet });
  await tui.until("Basket");
  // Two minutes of samples; the fake engine says the same all the time.
  tui.store.update((state) => {
    if (state.node) {
      const host = { ...state.node.host, load_average_1m: 1.2, memory_total_mb: 24_576, memory_available_mb: 21_300 };
      state.node = { ...state.node, host };
    }
    for (const usage of state.usage.values()) {
      usage.cpuPercent = Array.from({ length: 60 }, (_, at) => 55 + Math.round(30 * Math.sin(at / 3)));
      usage.memoryMb = Array.from({ length: 60 }, (_, at) => 380 + at * 4);
    }
  });
  return tui;
}

/** Some files of a VM: more than there is room for. */
export async function keepSome({ server }: TuiWorld, name: string): Promise<void> {
  const vm = server.engine.get(name);
  for (let at = 1; at <= 25; at++) {
    const what = { kind: "download", name: `invoice-${at}.pdf`, contentType: "application/pdf", vm } as const;
    await server.artifacts.keep(what, Buffer.from("%PDF".repeat(900 * at)));
  }
}

/** Moves to a VM of the fleet by its name. */
export async function choose(tui: TuiWorld, name: string): Promise<void> {
  await tui.press("g");
  for (let at = 0; at < 10; at++) {
    if ((await tui.until("NAME")).includes(`❯ ${name}`)) return;
    await tui.press("j");
  }
  throw new Error(`there is no VM ${name} on the screen`);
}

/** A frame as it is kept: without trailing spaces, lines that repeat said once, ids of this run as zeros. */
export function kept(frame: string): string {
  const lines = frame
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "00000000-0000-7000-8000-000000000000")
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
  return lines
    .flatMap((line, at) => {
      if (line !== lines[at - 1] || line !== lines[at - 2]) return [line];
      let times = 1;
      while (lines[at - times] === line) times += 1;
      return lines[at + 1] === line ? [] : [`⋮ ${times} such lines`];
    })
    .join("\n");
}
