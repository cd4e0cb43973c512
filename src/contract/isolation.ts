import * as v from "valibot";

/** What keeps a VMM that its guest took over from the rest of the host. docs/security.md says what each one stops. */
export const Measure = v.picklist([
  "own-user", // a uid and gid of this VM alone
  "no-capabilities", // none, the bounding set included
  "no-new-privileges",
  "resource-limits", // file sizes, open files, no core dumps
  "cgroup", // all processes of the VM in one cgroup v2, killed as one
  "memory-limit",
  "cpu-limit",
  "pids-limit",
  "seccomp", // the hypervisor's own system call filter
  "landlock", // the hypervisor's own file access rules
  "network-namespace",
]);
export type Measure = v.InferOutput<typeof Measure>;

export const Isolation = v.object({
  uid: v.pipe(v.nullable(v.number()), v.description("User the VMM runs as; null: the server's own")),
  measures: v.pipe(v.array(Measure), v.description("In force")),
  missing: v.pipe(
    v.array(v.object({ measure: Measure, reason: v.string() })),
    v.description("What this host or this hypervisor cannot give, and why"),
  ),
});
export type Isolation = v.InferOutput<typeof Isolation>;
