import * as v from "valibot";

export const EventType = v.picklist([
  "VM_CREATED",
  "VM_STARTING",
  "VM_RUNNING",
  "VM_PAUSED",
  "VM_RESUMED",
  "VM_STOPPING",
  "VM_STOPPED",
  "VM_CRASHED",
  "VM_DELETING",
  "VM_DELETED",
  "VM_ADOPTED", // a restarted server found it running and went on
  "VM_BROWSER_DIED", // Chromium died in the guest; the agent restarts it
  "VM_BROWSER_READY",
  "VM_RESIZED", // data: the new size, for the next start
  "VM_EGRESS_CHANGED", // data: the new policy
  "VM_PROXY_CHANGED", // data: the new proxy, without its password
  "VM_CONTROL_TAKEN", // data: who holds control over the browser now
  "VM_CONTROL_RETURNED",
  "VM_EGRESS_DENIED", // data: refused destinations since the last one; at most one a minute per VM
  "VM_ARTIFACT_KEPT", // data: artifact (its id), kind, size_bytes; also of a VM that is deleted
  "VM_ARTIFACT_DELETED", // by somebody, or as its time was over
  "VM_BOOT_PROGRESS", // data.phase: spawned | agent | browser | profile
]);
export type EventType = v.InferOutput<typeof EventType>;

/** One row of `events`. `seq` grows without gaps in what a reader sees; it is the SSE id. */
export const VmEvent = v.object({
  seq: v.pipe(v.number(), v.integer()),
  type: EventType,
  vm_id: v.string(),
  vm_name: v.string(),
  at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  data: v.record(v.string(), v.unknown()),
});
export type VmEvent = v.InferOutput<typeof VmEvent>;

export const EventList = v.object({
  items: v.array(VmEvent),
  next: v.pipe(v.nullable(v.number()), v.description("`after` of the next page")),
});
export type EventList = v.InferOutput<typeof EventList>;
