import type { Activity, PageShown } from "../../contract/index.ts";

/** Samples kept of each VM: two minutes at one in two seconds. */
const MOST_SAMPLES = 60;

/** What one VM did lately. Newest sample last. */
export type Usage = { cpuPercent: number[]; memoryMb: number[]; page: PageShown | null };

/** Takes a sample of all VMs in; those that do not run any more go. */
export function noteActivity(usage: Map<string, Usage>, activity: Activity): void {
  const seen = new Set<string>();
  for (const { id, cpu_percent, memory_mb, page } of activity.items) {
    seen.add(id);
    const known = usage.get(id) ?? { cpuPercent: [], memoryMb: [], page: null };
    if (cpu_percent !== null) push(known.cpuPercent, cpu_percent);
    if (memory_mb !== null) push(known.memoryMb, memory_mb);
    known.page = page;
    usage.set(id, known);
  }
  for (const id of usage.keys()) if (!seen.has(id)) usage.delete(id);
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > MOST_SAMPLES) values.shift();
}
