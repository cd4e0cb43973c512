import { ERRORS, type ErrorCode, HypeError, type Issue, type VmStatus } from "../contract/index.ts";
import { line } from "./markdown.ts";

/** What a model does next, where the remedy of the table speaks to people at a command line. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  invalid_request: "Mend the arguments named above and call again.",
  unauthorized: "The key of this connection is not valid any more: ask the user for another.",
  forbidden: "This key may not do that: ask the user for one that may, or do without.",
  rate_limited: "Wait for the seconds named above, then go on.",
  vm_not_found: "Call vm_list to see the VMs there are, or vm_create to make one.",
  vm_name_taken: "Choose another name.",
  vm_state_conflict: "Call vm_get to see the state; vm_wait waits for another.",
  vm_not_running: "Call vm_get to see how it is; vm_start starts it (vm_resume if it is paused), then go on.",
  lease_pool_empty: "Delete VMs that are not needed: vm_list, vm_delete.",
  insufficient_memory: "Stop or delete VMs that are not needed, or ask for less memory_mb.",
  guest_unreachable: "Call vm_get; if it is still running, vm_restart starts it anew (open pages are lost).",
  browser_unavailable: "The browser restarts by itself: call again in a few seconds.",
  tab_not_found: "Your next call without `tab` takes another tab; browser_tabs lists those there are.",
  tab_crashed: "Open the page again with browser_navigate, or another tab with browser_tabs.",
  navigation_failed: "Check the address, or try again.",
  stale_ref: "Take a new browser_snapshot and use a ref from it.",
  element_not_found: "Take a browser_snapshot to see what the page has, or browser_wait_for it first.",
  element_ambiguous: "Use one of the refs above, or a narrower selector.",
  element_hidden: "Do what makes the page show it first.",
  element_moving: "browser_wait_for the animation to end, then try again.",
  verification_failed:
    "If it should come later, browser_wait_for it and verify again; else tell the user what differs.",
  operation_timeout: "Look at the page with browser_snapshot: a dialog or a slow load may hold it up.",
  result_too_large: "Ask for less: a part of the page, or fewer fields.",
  control_held: "Wait until it is given back: vm_control with wait: returned.",
  upload_not_found: "Put it there first with vm_put_file.",
  guest_disk_full: "Free room in the VM: keep and delete downloads, or vm_restart it.",
  recording_not_found: "browser_start_video begins one.",
  recording_conflict: "browser_stop_video with its id ends a recording.",
  artifact_quota_exceeded: "artifact_list shows what is kept; artifact_delete makes room.",
  download_not_found: "browser_downloads lists those there are.",
  request_not_found: "browser_network_requests lists those there are.",
  profile_not_found: "profile_list shows those there are.",
  profile_name_taken: "Choose another name, or save with replace: true.",
  artifact_not_found: "artifact_list shows those there are.",
  image_not_found: "image_list shows those there are.",
  shutting_down: "The server restarts: call again in a few seconds. VMs keep running.",
  cancelled: "It was cancelled.",
};

/** What a model does next about a VM that does not run, by what it does instead. */
const BY_STATUS: Partial<Record<VmStatus, string>> = {
  creating: "It comes up: call vm_wait, then go on.",
  starting: "It comes up: call vm_wait, then go on.",
  paused: "Call vm_resume, then go on.",
  stopping: "It goes down: call vm_wait with status: stopped, then vm_start.",
  stopped: "Call vm_start, then go on.",
  crashed: "Call vm_start, then go on; vm_logs may say why it crashed.",
  deleting: "It is being deleted: make another with vm_create.",
};

function nextOf({ code, details }: HypeError): string | undefined {
  const { status } = details;
  const known = typeof status === "string" && status in BY_STATUS ? BY_STATUS[status as VmStatus] : undefined;
  if (code === "vm_not_running") return known ?? NEXT[code];
  if (code === "operation_timeout" && status !== undefined)
    return "Call vm_wait again to wait on; vm_get and vm_logs tell how it is.";
  return NEXT[code];
}

/**
 * A failure in a model's words: what happened, then what to do. A bug tells nothing but that it is one.
 * @param ref under which a bug stands in the log
 */
export function wordError(error: HypeError, ref?: string): string {
  if (error.code === "internal")
    return `Error (internal): something went wrong inside hype${ref ? ` (ref ${ref})` : ""}. Try once more; if it stays, tell the user.`;
  const row = ERRORS[error.code];
  return `Error (${error.code}): ${line(error.message, 4_000)}\n${nextOf(error) ?? row.remedy}`;
}

/** Faults of arguments, each by its name. */
export const wordIssues = (issues: readonly Issue[]): string =>
  issues.map(({ path, message }) => `${path || "the arguments"} ${message}`).join("; ");
