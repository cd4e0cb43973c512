import type { VmStatus } from "../../contract/index.ts";
import type { Ink } from "../theme/themes.ts";

/** A status is told by a sign as well as by a colour. */
export const STATUS_LOOKS: Record<VmStatus, { sign: string; ink: Ink }> = {
  creating: { sign: "◌", ink: "info" },
  starting: { sign: "◔", ink: "info" },
  running: { sign: "●", ink: "good" },
  paused: { sign: "‖", ink: "warning" },
  stopping: { sign: "◑", ink: "info" },
  stopped: { sign: "○", ink: "muted" },
  crashed: { sign: "✖", ink: "bad" },
  deleting: { sign: "◌", ink: "info" },
};
