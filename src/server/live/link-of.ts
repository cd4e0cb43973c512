import { HypeError } from "../../contract/index.ts";
import type { StoredLink } from "../../store/live-links.ts";
import type { Gate } from "../auth/gate.ts";

/** The link a page came with. @throws HypeError live_link_invalid */
export function linkOf(gate: Gate, request: Request): StoredLink {
  const { liveLink } = gate.callerOf(request);
  if (!liveLink) throw new HypeError("live_link_invalid", "this is opened by a live link, not by a key");
  return liveLink;
}
