import { messageOf } from "../../contract/errors.ts";
import { acceleration } from "./acceleration.ts";
import type { Check, Finding, Surroundings } from "./check.ts";
import { image } from "./image.ts";
import { conntrack, dns, firewall, slots } from "./host-network.ts";
import { cgroups, jail, setup } from "./isolation.ts";
import { kernel, userNamespaces } from "./kernel.ts";
import { leftovers } from "./leftovers.ts";
import { buildTools, cloudHypervisor, network, qemu } from "./programs.ts";
import { disk, fileSystem, memory } from "./resources.ts";
import { server } from "./server.ts";
import { service } from "./service.ts";
import { state } from "./state.ts";
import { clock } from "./time.ts";

/** In the order people should mend things. */
const CHECKS: readonly Check[] = [
  ...[qemu, cloudHypervisor, acceleration, kernel, userNamespaces],
  ...[network, slots, firewall, conntrack, dns],
  ...[cgroups, jail],
  ...[buildTools, image, disk, fileSystem, memory, clock],
  ...[setup, state, service, server, leftovers],
];

/** Runs every check at once; one that breaks is itself a finding. Changes nothing on the host. */
export const examine = (around: Surroundings, checks: readonly Check[] = CHECKS): Promise<Finding[]> =>
  Promise.all(
    checks.map(async (check) => {
      try {
        return { id: check.id, ...(await check.run(around)) };
      } catch (thrown) {
        const why = "This check itself did not work, so nothing is known";
        return { id: check.id, status: "warn" as const, seen: messageOf(thrown), why, remedy: null };
      }
    }),
  );
