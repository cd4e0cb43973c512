import type {
  Activity,
  EventList,
  EventType,
  ListVmsQuery,
  SystemStatus,
  Vm,
  VmEvent,
  VmList,
  VmStatus,
} from "../../contract/index.ts";
import { HOLDING } from "../../engine/capacity.ts";
import type { EngineApi } from "../../engine/types.ts";
import type { View } from "./view.ts";

/** Rows asked of the engine at once. */
const PAGE_ROWS = 1000;
/** Events looked at for one page: a key that sees few of them must not keep the server busy. */
const MOST_SCANNED = 5 * PAGE_ROWS;
const DEFAULT_EVENTS = 100;

/** All VMs a query finds for a key, unpaged. The engine remembers its answers, so this reads memory most of the time. */
function visibleVms(engine: EngineApi, view: View, query: ListVmsQuery): Vm[] {
  const { limit: _limit, offset: _offset, ...rest } = query;
  const found: Vm[] = [];
  for (let offset = 0; ; offset += PAGE_ROWS) {
    const { items, total } = engine.list({ ...rest, limit: String(PAGE_ROWS), offset: String(offset) });
    found.push(...items.filter((vm) => view.allows(vm)));
    if (items.length === 0 || offset + items.length >= total) return found;
  }
}

/** `engine.list` as the key sees it: the total counts its VMs only. */
export function listWithin(engine: EngineApi, view: View | null, query: ListVmsQuery): VmList {
  if (!view) return engine.list(query);
  const found = visibleVms(engine, view, query);
  const offset = Number(query.offset ?? 0);
  return { items: found.slice(offset, offset + Number(query.limit ?? PAGE_ROWS)), total: found.length };
}

type EventQuery = { after?: number; limit?: number; vm?: string; type?: EventType };

/** `engine.events` as the key sees it. A page may hold fewer events than asked for and still have a `next`. */
export function eventsWithin(engine: EngineApi, view: View | null, query: EventQuery): EventList {
  if (!view) return engine.events(query);
  const wanted = query.limit ?? DEFAULT_EVENTS;
  const found: VmEvent[] = [];
  let after = query.after ?? 0;
  for (let scanned = 0; scanned < MOST_SCANNED; scanned += PAGE_ROWS) {
    const { items, next } = engine.events({ ...query, after, limit: PAGE_ROWS });
    for (const event of items) {
      if (!view.allowsEvent(event, engine)) continue;
      found.push(event);
      if (found.length === wanted) return { items: found, next: event.seq };
    }
    if (next === null) return { items: found, next: null };
    after = next;
  }
  return { items: found, next: after };
}

/** A live stream as the key sees it. */
export async function* streamWithin(
  engine: EngineApi,
  view: View,
  source: AsyncIterable<VmEvent>,
): AsyncGenerator<VmEvent> {
  let skipped = 0;
  for await (const event of source)
    if (view.allowsEvent(event, engine)) yield event;
    else if (++skipped % PAGE_ROWS === 0) await new Promise((resolve) => setImmediate(resolve)); // lets others have a turn
}

/** What the running VMs do, as the key sees it. Which page is shown may be somebody's mail: only for those who may look at it. */
export function activityWithin(engine: EngineApi, view: View | null, mayOperate: boolean): Activity {
  const { at, items } = engine.activity();
  const visible = view ? items.filter(({ id }) => view.allows(engine.get(id))) : items;
  return { at, items: mayOperate ? visible : visible.map((item) => ({ ...item, page: null })) };
}

/** The server's numbers with those of other VMs taken out; what the host itself has is told to everybody. */
export function statusWithin(engine: EngineApi, view: View | null, status: SystemStatus): SystemStatus {
  if (!view) return status;
  const vms = visibleVms(engine, view, {});
  const byStatus: Partial<Record<VmStatus, number>> = {};
  for (const vm of vms) byStatus[vm.status] = (byStatus[vm.status] ?? 0) + 1;
  const committedMb = vms.filter((vm) => HOLDING.has(vm.status)).reduce((sum, vm) => sum + vm.memory_mb, 0);
  return {
    ...status,
    network: { ...status.network, leases_used: vms.length },
    host: { ...status.host, memory_committed_mb: committedMb },
    vms: { total: vms.length, by_status: byStatus },
  };
}
