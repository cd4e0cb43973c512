import type { Activity, PageShown, VmActivity } from "../contract/index.ts";
import { processUsage } from "../host/resources.ts";
import type { Context } from "./context.ts";

/** Callers that ask more often than this share one sample, ms. */
const SAMPLE_MS = 500;
const PAGE_URL_CHARACTERS = 2_048;
const PAGE_TITLE_CHARACTERS = 300;

type Sample = { pid: number; atMs: number; cpuSeconds: number; percent: number | null; memoryMb: number };

/** What the running VMs do: their VMMs' processor time and memory, sampled when somebody asks, and the pages they show. */
export class ActivityMonitor {
  readonly #ctx: Context;
  readonly #samples = new Map<string, Sample>();

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  now(): Activity {
    const items: VmActivity[] = [];
    for (const { id, name, status, pid } of this.#ctx.store.vms.all()) {
      const live = this.#ctx.live.get(id);
      if (!live || pid === null || (status !== "running" && status !== "paused")) {
        this.#samples.delete(id);
        continue;
      }
      const sample = this.#sample(id, pid);
      items.push({
        id,
        name,
        cpu_percent: sample?.percent ?? null,
        memory_mb: sample?.memoryMb ?? null,
        page: live.page,
      });
    }
    return { at: new Date(this.#ctx.clock()).toISOString(), items };
  }

  #sample(vmId: string, pid: number): Sample | null {
    const atMs = performance.now();
    const last = this.#samples.get(vmId);
    const known = last?.pid === pid ? last : null;
    if (known && atMs - known.atMs < SAMPLE_MS) return known;
    const usage = processUsage(pid);
    if (!usage) return null;
    const percent = known
      ? Math.round(((usage.cpuSeconds - known.cpuSeconds) / ((atMs - known.atMs) / 1000)) * 1000) / 10
      : null;
    const sample = { pid, atMs, cpuSeconds: usage.cpuSeconds, percent, memoryMb: usage.memoryMb };
    this.#samples.set(vmId, sample);
    return sample;
  }
}

/** What a guest says of its page, as it may be shown. */
export const pageShown = ({ url, title, tabs }: PageShown): PageShown => ({
  url: printable(url).slice(0, PAGE_URL_CHARACTERS),
  title: printable(title).slice(0, PAGE_TITLE_CHARACTERS),
  tabs: Math.min(Math.max(0, Math.trunc(tabs)), 100_000) || 0,
});

/** Control characters and those that turn the direction of text would disturb whoever shows it (Unicode categories Cc, Cf, Zl, Zp). */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").trim();
