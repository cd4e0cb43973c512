import * as v from "valibot";
import { VmStatus } from "./vm.ts";

export const SystemStatus = v.object({
  version: v.string(),
  started_at: v.string(),
  hypervisor: v.object({
    name: v.nullable(v.string()),
    version: v.nullable(v.string()),
    accelerator: v.nullable(v.string()),
    reason: v.pipe(v.string(), v.description("Why this one was chosen, or why none can be used")),
  }),
  network: v.object({ mode: v.string(), subnet: v.string(), leases_used: v.number(), leases_total: v.number() }),
  host: v.object({
    cpu_cores: v.number(),
    load_average_1m: v.number(),
    memory_total_mb: v.number(),
    memory_available_mb: v.number(),
    memory_committed_mb: v.pipe(v.number(), v.description("Sum of memory_mb of VMs that hold memory")),
    disk_free_mb: v.number(),
  }),
  vms: v.object({ total: v.number(), by_status: v.record(VmStatus, v.number()) }),
  last_event_seq: v.pipe(v.number(), v.integer(), v.description("`seq` of the newest event; 0 when there is none")),
  default_image: v.nullable(v.string()),
});
export type SystemStatus = v.InferOutput<typeof SystemStatus>;

export const LogSource = v.picklist(["console", "agent", "vmm"]);
export type LogSource = v.InferOutput<typeof LogSource>;
