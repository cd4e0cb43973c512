import { messageOf } from "../../contract/errors.ts";
import { acceleration } from "./acceleration.ts";
import type { Check, Finding, Surroundings } from "./check.ts";
import { image } from "./image.ts";
import { buildTools, passt, qemu } from "./programs.ts";
import { disk, memory } from "./resources.ts";
import { server } from "./server.ts";
import { state } from "./state.ts";

/** In the order people should mend things. */
const CHECKS: readonly Check[] = [qemu, passt, acceleration, buildTools, image, disk, memory, state, server];

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
