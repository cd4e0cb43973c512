import type { Config } from "../config/load.ts";
import type { Image, SystemStatus } from "../contract/index.ts";
import { VERSION } from "../contract/version.ts";
import type { EngineApi } from "../engine/types.ts";
import { diskFreeMb } from "../host/files.ts";
import { hostCpuCores, hostMemory, loadAverage1m } from "../host/resources.ts";
import type { Network } from "../network/network.ts";

type Sources = {
  config: Config;
  engine: EngineApi;
  network: Network;
  images: { list(): Image[] };
  hypervisor: { describe(): SystemStatus["hypervisor"] };
  startedAt: string;
};

/** The numbers of `GET /api/v1/system/status`, asked of those who know them each time. */
export function systemStatus(sources: Sources): SystemStatus {
  const { config, engine, network, images, hypervisor, startedAt } = sources;
  const counts = engine.counts();
  const memory = hostMemory();
  return {
    version: VERSION,
    started_at: startedAt,
    hypervisor: hypervisor.describe(),
    network: {
      mode: network.mode,
      subnet: config.subnet,
      leases_used: counts.leasesUsed,
      leases_total: counts.leasesTotal,
    },
    host: {
      cpu_cores: hostCpuCores(),
      load_average_1m: loadAverage1m(),
      memory_total_mb: memory.totalMb,
      memory_available_mb: memory.availableMb,
      memory_committed_mb: counts.memoryCommittedMb,
      disk_free_mb: diskFreeMb(config.home),
    },
    vms: { total: counts.total, by_status: counts.byStatus },
    last_event_seq: engine.lastEventSeq(),
    default_image: images.list().find((image) => image.is_default)?.id ?? null,
  };
}
