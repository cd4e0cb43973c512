import * as v from "valibot";

/** Page a VM's browser shows: the guest's word, cut short, without control characters. */
export const PageShown = v.object({
  url: v.string(),
  title: v.string(),
  tabs: v.pipe(v.number(), v.integer(), v.description("How many tabs are open")),
});
export type PageShown = v.InferOutput<typeof PageShown>;

/** What a running VM does right now. */
export const VmActivity = v.object({
  id: v.string(),
  name: v.string(),
  cpu_percent: v.pipe(
    v.nullable(v.number()),
    v.description("Of one core, by its VMM, since the last sample; null until there are two samples"),
  ),
  memory_mb: v.pipe(v.nullable(v.number()), v.description("Resident memory of its VMM on the host")),
  page: v.pipe(v.nullable(PageShown), v.description("The tab in use; null when unknown, and for keys of scope read")),
});
export type VmActivity = v.InferOutput<typeof VmActivity>;

/** Reply of `GET /api/v1/system/activity`. */
export const Activity = v.object({
  at: v.pipe(v.string(), v.description("ISO 8601, UTC")),
  items: v.array(VmActivity),
});
export type Activity = v.InferOutput<typeof Activity>;
