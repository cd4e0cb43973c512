import type { Protocol } from "devtools-protocol";

/** For `Target.setAutoAttach`: a session of every frame that lives in a process of its own, and of nothing else. */
export const ATTACH_FRAMES: Protocol.Target.SetAutoAttachRequest = {
  autoAttach: true,
  waitForDebuggerOnStart: false,
  flatten: true,
  filter: [{ type: "iframe" }, { exclude: true }],
};
