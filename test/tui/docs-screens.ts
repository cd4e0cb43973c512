import { mkdirSync, writeFileSync } from "node:fs";
import { formatted } from "../../scripts/formatted.ts";
import type { Guest } from "../../src/guest/guest.ts";
import { BINDINGS } from "../../src/tui/keys/bindings.ts";
import { keyLabel } from "../../src/tui/keys/match.ts";
import type { TestServer } from "../server/harness.ts";
import { NOW_MS, TuiWorld } from "./world.ts";

const CONSOLE = [
  "[    0.000000] Linux version 6.1.0-53-cloud-amd64",
  "[    0.412071] usbcore: registered new interface driver usbfs",
  "[    0.412544] usbcore: registered new interface driver hub",
  "[    0.413001] usbcore: registered new device driver usb",
  "[    1.907113] virtio_net virtio1 eth0: renamed from ens3",
  "[    2.310442] EXT4-fs (vda): mounted filesystem with ordered data mode",
  "[    5.018231] hype-agent: listening",
  "[    7.744019] hype-agent: Chromium is ready",
];

/** What the page shows is a fleet as people have it. */
const created = (minutesAgo: number) => new Date(NOW_MS - minutesAgo * 60_000).toISOString();

function fleet({ engine }: TestServer): void {
  engine.add("crawl-1", { labels: { team: "data" }, created_at: created(190) });
  engine.add("crawl-2", { labels: { team: "data" }, created_at: created(188), status: "paused" });
  engine.add("login-check", {
    labels: { team: "qa" },
    created_at: created(12),
    status: "crashed",
    status_reason: "the guest ran out of memory",
  });
  const shop = engine.add("shop", { labels: { team: "qa" }, created_at: created(44) });
  engine.add("spare", { created_at: created(60 * 24 * 3), status: "stopped" });
  engine.pages.set("crawl-1", { url: "https://docs.example/guide/3", title: "Guide, chapter 3", tabs: 4 });
  engine.pages.set("shop", { url: "https://shop.example/basket", title: "Basket (2)", tabs: 2 });
  const tab = { active: true, isolated: false, context: null, opener: null };
  engine.guests.set("shop", {
    tabs: async () => ({
      items: [
        { ...tab, id: "T1", url: "https://shop.example/basket", title: "Basket (2)" },
        { ...tab, id: "T2", active: false, url: "https://mail.example/", title: "受信箱 (4)" },
      ],
    }),
    screenshot: () => new Promise(() => {}), // a picture comes when it comes: the page does without
  } as unknown as Guest);
  mkdirSync(`${engine.logDir}/shop`, { recursive: true });
  writeFileSync(`${engine.logDir}/shop/console.log`, CONSOLE.map((line) => `${line}\n`).join(""));
  shop.control = { label: "anna", source: "live" } as unknown as NonNullable<typeof shop.control>;
}

/** Two minutes of samples; the fake engine says the same all the time. */
function work({ store }: TuiWorld): void {
  store.update((state) => {
    if (state.node) {
      const host = { ...state.node.host, load_average_1m: 1.2, memory_total_mb: 24_576, memory_available_mb: 21_300 };
      state.node = { ...state.node, host };
    }
    for (const [id, { name }] of state.vms) {
      const usage = state.usage.get(id);
      if (!usage) continue;
      const calm = name === "shop" ? 20 : 55;
      usage.cpuPercent = Array.from({ length: 60 }, (_, at) => calm + Math.round(30 * Math.sin(at / 3)));
      usage.memoryMb = Array.from({ length: 60 }, (_, at) => 380 + at * 4);
    }
  });
}

type Scene = (tui: TuiWorld) => Promise<string>;
const SCENES: Record<string, Scene> = {
  fleet: async (tui) => {
    await tui.press("j", "j", "j");
    return await tui.until("❯ shop");
  },
  vm: async (tui) => {
    await tui.press("j", "j", "j", "RETURN");
    return await tui.until("1 overview");
  },
  console: async (tui) => {
    await tui.press("j", "j", "j", "RETURN", "3");
    await tui.until("ready");
    await tui.press("/", ..."usb", "RETURN");
    return await tui.until("3 of 3");
  },
  create: async (tui) => {
    await tui.press("c", ..."checkout", "TAB", "TAB", "TAB");
    await tui.until("Chromium");
    await tui.press("ARROW_DOWN");
    return await tui.until("❯ 0123456789abcdef");
  },
  boot: async (tui) => {
    const { engine } = tui.server;
    engine.create = async ({ name }) => engine.add(name, { status: "starting", created_at: created(0) });
    await tui.press("c", ..."checkout", "RETURN");
    await tui.until("checkout boots");
    const vm = engine.get("checkout");
    const phase = (seconds: number, told: string) =>
      engine.append({
        type: "VM_BOOT_PROGRESS",
        vm_id: vm.id,
        vm_name: vm.name,
        at: new Date(Date.parse(vm.updated_at) + seconds * 1000).toISOString(),
        data: { phase: told },
      });
    phase(0.3, "spawned");
    phase(5.1, "agent");
    return (await tui.until("✔ kernel")).replace(/\d+ min \d+ s/, ({ length }) => "7.0 s".padEnd(length));
  },
  palette: async (tui) => {
    await tui.press(":", ..."vms l");
    return await tui.until("List VMs");
  },
};

async function screen(name: string): Promise<string> {
  const scene = SCENES[name];
  if (!scene) throw new Error(`the page wants a screen ${name}, and there is none`);
  await using tui = await TuiWorld.open({ width: 100, height: 20, prepare: fleet });
  await tui.until("Basket (2)");
  work(tui);
  const frame = await scene(tui);
  return frame
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const PLACES = {
  fleet: "the list",
  vm: "one VM",
  events: "events",
  offline: "no server",
  screens: "all of these",
  everywhere: "everywhere",
};

/** Every key of the program but those of overlays, which say themselves what they take. */
function keys(): string {
  const rows = BINDINGS.flatMap(({ where, keys: names, help }) => {
    const places = Object.entries(PLACES).flatMap(([place, words]) =>
      where.includes(place as "fleet") ? [words] : [],
    );
    return places.length === 0 ? [] : [[names.map((key) => `\`${keyLabel(key)}\``).join(" "), help, places.join(", ")]];
  });
  const table = [["key", "what it does", "where"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => Bun.stringWidth(row[column]!))));
  const lines = table.map(
    (row) => `| ${row.map((cell, at) => cell + " ".repeat(widths[at]! - Bun.stringWidth(cell))).join(" | ")} |`,
  );
  return [lines[0], `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.slice(1)].join("\n");
}

/** The page with every `<!-- screen NAME -->` block and the table after `<!-- keys -->` as the program is now. */
export async function withScreens(page: string): Promise<string> {
  let made = page;
  for (const [block, name] of page.matchAll(/<!-- screen ([a-z]+) -->\n\n```text\n[\s\S]*?```/g)) {
    const drawn = `<!-- screen ${name} -->\n\n\`\`\`text\n${await screen(name!)}\n\`\`\``;
    made = made.replace(block, () => drawn);
  }
  made = made.replace(/<!-- keys -->\n(\n\|(.*\n)*)?/, () => `<!-- keys -->\n\n${keys()}\n`);
  return await formatted("tui.md", made);
}
