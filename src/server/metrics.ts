import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Artifacts } from "../artifacts/artifacts.ts";
import type { EngineApi } from "../engine/types.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);

/** The numbers of `/metrics` (Prometheus text format). No label holds anything a caller or a guest chose. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(engine: Pick<EngineApi, "counts">, artifacts: Pick<Artifacts, "usedBytes">) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  // What the engine knows anyway is asked for when somebody looks, not kept twice.
  new Gauge({
    name: "hype_vms",
    help: "VMs by status",
    labelNames: ["status"],
    registers,
    collect() {
      this.reset();
      for (const [status, count] of Object.entries(engine.counts().byStatus)) this.set({ status }, count);
    },
  });
  new Gauge({
    name: "hype_memory_committed_megabytes",
    help: "Sum of memory_mb of VMs that hold memory",
    registers,
    collect() {
      this.set(engine.counts().memoryCommittedMb);
    },
  });
  new Gauge({
    name: "hype_leases_used",
    help: "Leased addresses",
    registers,
    collect() {
      this.set(engine.counts().leasesUsed);
    },
  });
  new Gauge({
    name: "hype_artifact_bytes",
    help: "What all artifacts together take",
    registers,
    collect() {
      this.set(artifacts.usedBytes);
    },
  });
  const requests = new Histogram({
    name: "hype_http_request_seconds",
    help: "Time to the head of the reply",
    labelNames: ["method", "status"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const labelled = new Map<string, { observe(seconds: number): void }>();
  return {
    registry,
    observeRequest(method: string, status: number, seconds: number): void {
      const name = METHODS.has(method) ? method : "other"; // a caller may invent any
      const key = `${name} ${status}`;
      const found = labelled.get(key) ?? requests.labels(name, String(status));
      labelled.set(key, found);
      found.observe(seconds);
    },
    eventStreams: new Gauge({ name: "hype_event_streams", help: "Open event streams", registers }),
    cdpSockets: new Gauge({ name: "hype_cdp_sockets", help: "Open CDP sockets", registers }),
    aguiRuns: new Gauge({ name: "hype_agui_runs", help: "Runs of AG-UI under way", registers }),
    liveSockets: new Gauge({ name: "hype_live_sockets", help: "Open sockets of the live view", registers }),
    shells: new Gauge({ name: "hype_shells", help: "Open shells in VMs", registers }),
  };
}
