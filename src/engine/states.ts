import {
  type EgressPolicy,
  type ErrorCode,
  type EventType,
  HypeError,
  type Vm,
  type VmStatus,
} from "../contract/index.ts";
import type { NewVm, VmPatch } from "../store/vms.ts";
import { type Context, mustFind, now } from "./context.ts";

type EventData = Record<string, unknown>;

/** The life of a VM: from → to → the event that tells of it. What is not here is not legal. */
export const HOPS: Record<VmStatus, Partial<Record<VmStatus, EventType>>> = {
  creating: { starting: "VM_STARTING", deleting: "VM_DELETING" },
  starting: {
    running: "VM_RUNNING",
    stopping: "VM_STOPPING",
    stopped: "VM_STOPPED",
    crashed: "VM_CRASHED",
    deleting: "VM_DELETING",
  },
  running: {
    paused: "VM_PAUSED",
    stopping: "VM_STOPPING",
    stopped: "VM_STOPPED",
    crashed: "VM_CRASHED",
    deleting: "VM_DELETING",
  },
  paused: {
    running: "VM_RESUMED",
    stopping: "VM_STOPPING",
    stopped: "VM_STOPPED",
    crashed: "VM_CRASHED",
    deleting: "VM_DELETING",
  },
  stopping: { stopped: "VM_STOPPED", deleting: "VM_DELETING" },
  stopped: { starting: "VM_STARTING", deleting: "VM_DELETING" },
  crashed: { starting: "VM_STARTING", deleting: "VM_DELETING" },
  deleting: {},
};

/** In which states a user may ask for what. A delete is always allowed. */
export const ALLOWED = {
  start: ["stopped", "crashed"],
  stop: ["starting", "running", "paused"],
  restart: ["starting", "running", "paused", "stopped", "crashed"],
  pause: ["running"],
  resume: ["paused"],
  resize: ["stopped", "crashed"],
} as const satisfies Record<string, readonly VmStatus[]>;
export type Operation = keyof typeof ALLOWED;

/** @throws HypeError vm_state_conflict naming the states that allow the operation. */
export function mustAllow(vm: Vm, operation: Operation): void {
  const states: readonly VmStatus[] = ALLOWED[operation];
  if (!states.includes(vm.status)) throw conflict(vm, operation, states);
}

const conflict = (vm: Vm, wanted: string, states: readonly VmStatus[]): HypeError =>
  new HypeError("vm_state_conflict", `${vm.name} is ${vm.status}; ${wanted} needs it ${states.join(" or ")}`, {
    vm: vm.name,
    status: vm.status,
    allowed: states,
  });

/** Runs a change as one transaction in which `tell` appends events, then wakes the subscribers. */
export function commit<T>(ctx: Context, change: (tell: (type: EventType, vm: Vm, data?: EventData) => void) => T): T {
  const result = ctx.store.write(() =>
    change((type, vm, data = {}) => {
      ctx.store.events.append({ type, vm_id: vm.id, vm_name: vm.name, at: now(ctx), data });
    }),
  );
  ctx.bus.wake();
  return result;
}

/** The only way a row's status changes: row and event in one transaction. @throws HypeError vm_state_conflict | vm_not_found */
export function transition(
  ctx: Context,
  vmId: string,
  to: VmStatus,
  change: { patch?: VmPatch; data?: EventData } = {},
): Vm {
  const vm = commit(ctx, (tell) => {
    const before = mustFind(ctx, vmId);
    const event = HOPS[before.status][to];
    if (!event) {
      const sources = (Object.keys(HOPS) as VmStatus[]).filter((from) => HOPS[from][to]);
      throw conflict(before, to, sources);
    }
    const after = update(ctx, vmId, { ...change.patch, status: to });
    tell(event, after, { generation: after.generation, ...change.data });
    return after;
  });
  ctx.log.info(`${vm.name} is ${to}`, { vm: vm.id, ...change.data });
  return vm;
}

/** Changes a row without changing its status, and tells of it when an event is named. @throws HypeError vm_not_found */
export function record(ctx: Context, vmId: string, patch: VmPatch, event?: EventType, data?: EventData): Vm {
  if (!event) return ctx.store.write(() => update(ctx, vmId, patch));
  return commit(ctx, (tell) => {
    const vm = update(ctx, vmId, patch);
    tell(event, vm, data);
    return vm;
  });
}

function update(ctx: Context, vmId: string, patch: VmPatch): Vm {
  const vm = ctx.store.vms.update(vmId, patch, now(ctx));
  if (!vm) throw new HypeError("vm_not_found", `there is no VM ${vmId}`, { vm: vmId });
  return vm;
}

/** Row and lease come into being. `check` runs in the same transaction and may refuse. */
export function admit(
  ctx: Context,
  vm: Omit<NewVm, "ip_address" | "status">,
  egress: EgressPolicy,
  check: () => void,
): Vm {
  return commit(ctx, (tell) => {
    if (ctx.store.vms.find(vm.name))
      throw new HypeError("vm_name_taken", `there is a VM named ${vm.name} already`, { name: vm.name });
    check();
    const ip_address = ctx.store.leases.take(vm.id, ctx.config);
    const row = ctx.store.vms.insert({ ...vm, status: "creating", ip_address }, egress);
    tell("VM_CREATED", row, { ip_address, cpu_cores: row.cpu_cores, memory_mb: row.memory_mb, labels: row.labels });
    return row;
  });
}

/**
 * Row and lease cease to be: name and address are free from this moment. Everything that used them must be gone.
 * @param code what its creation failed with, where that is why: those who only watch events learn it from there.
 */
export function forget(ctx: Context, vm: Vm, reason: string, code?: ErrorCode): void {
  commit(ctx, (tell) => {
    ctx.store.vms.remove(vm.id);
    ctx.store.leases.free(vm.id);
    tell("VM_DELETED", vm, { reason, ...(code ? { code } : {}) });
  });
  ctx.log.info(`${vm.name} is deleted`, { vm: vm.id, reason });
}
