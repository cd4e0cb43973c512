import * as v from "valibot";
import { type Vm, VmStatus } from "../contract/index.ts";
import { line } from "./markdown.ts";

/** What a model needs of a VM; the rest is behind the HTTP API. */
export const VmBrief = v.object({
  name: v.string(),
  status: VmStatus,
  status_reason: v.nullable(v.string()),
  cpu_cores: v.number(),
  memory_mb: v.number(),
  image: v.string(),
  labels: v.record(v.string(), v.string()),
  created_at: v.string(),
  expires_at: v.nullable(v.string()),
});
export type VmBrief = v.InferOutput<typeof VmBrief>;

export const brief = (vm: Vm): VmBrief => ({
  name: vm.name,
  status: vm.status,
  status_reason: vm.status_reason,
  cpu_cores: vm.cpu_cores,
  memory_mb: vm.memory_mb,
  image: vm.image,
  labels: vm.labels,
  created_at: vm.created_at,
  expires_at: vm.expires_at,
});

const labelsOf = (vm: Vm): string =>
  Object.entries(vm.labels)
    .map(([key, value]) => `${key}=${line(value, 60)}`)
    .join(", ");

/** One VM in one line. */
export function vmLine(vm: Vm): string {
  const facts = [`${vm.cpu_cores} CPU, ${vm.memory_mb} MB`];
  if (vm.expires_at) facts.push(`until ${vm.expires_at}`);
  const labels = labelsOf(vm);
  if (labels) facts.push(labels);
  if (vm.control) facts.push(`in the hands of ${line(vm.control.label ?? "a person", 64)}`);
  if (vm.status_reason) facts.push(line(vm.status_reason, 500));
  return `${vm.name}: ${vm.status} (${facts.join("; ")})`;
}
