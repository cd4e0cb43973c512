import type { Scope, ToolSelection } from "../contract/index.ts";
import { actTools } from "./act.ts";
import { artifactTools } from "./artifacts.ts";
import { controlTools } from "./control.ts";
import { dropTools } from "./drop.ts";
import { fileTools } from "./files.ts";
import { hostTools } from "./host.ts";
import { mouseTools } from "./mouse.ts";
import { nearMisses } from "./near-miss.ts";
import { networkTools } from "./network.ts";
import { observeTools } from "./observe.ts";
import { pageTools } from "./page.ts";
import { profileTools } from "./profiles.ts";
import { proxyTools } from "./proxy.ts";
import { renamedTools } from "./renamed.ts";
import { stateTools } from "./state.ts";
import { tabTools } from "./tabs.ts";
import type { Tool } from "./tool.ts";
import { verifyTools } from "./verify.ts";
import { videoTools } from "./video.ts";
import { vmTools } from "./vms.ts";

/** Everything an AI may do, in the order lists show it. The order is part of what clients cache: new tools go to the end of their family. */
export const TOOLS: readonly Tool[] = [
  ...vmTools,
  ...controlTools,
  ...hostTools,
  ...pageTools,
  ...actTools,
  ...mouseTools,
  ...dropTools,
  ...tabTools,
  ...observeTools,
  ...videoTools,
  ...verifyTools,
  ...fileTools,
  ...stateTools,
  ...networkTools,
  ...proxyTools,
  ...profileTools,
  ...artifactTools,
] as unknown as readonly Tool[];

const BY_NAME = new Map([...renamedTools, ...TOOLS].map((tool) => [tool.name, tool]));
const RANK: Record<Scope, number> = { read: 1, operate: 2, admin: 3 };

/** Whether a key of this scope may use the tool. What it may not use is not there for it. */
export const mayUse = (scope: Scope, tool: Tool): boolean => RANK[scope] >= RANK[tool.scope];

/** Whether a key of this scope may look into browsers and drive them. */
export const holdsOperate = (scope: Scope): boolean => RANK[scope] >= RANK.operate;

/** Whether the tool takes a VM: those are what is left where one VM is preset. */
export const takesVm = (tool: Tool): boolean => "vm" in ((tool.input as { entries?: object }).entries ?? {});

/** Tools in their order. @param isForOne one VM is preset: those that take none are not meant, and the default list is another */
export const toolsFor = (scope: Scope, selection: ToolSelection, isForOne = false): Tool[] =>
  TOOLS.filter(
    (tool) =>
      mayUse(scope, tool) &&
      (!isForOne || takesVm(tool)) &&
      (selection.includes("all") ||
        selection.includes(tool.group) ||
        (selection.includes("default") && ((isForOne ? tool.isDefaultForOne : undefined) ?? tool.isDefault))),
  );

/** @returns undefined when there is none of that name, or none the scope may use */
export function findTool(name: string, scope: Scope): Tool | undefined {
  const tool = BY_NAME.get(name);
  return tool && mayUse(scope, tool) ? tool : undefined;
}

/** Tools the scope may use whose names are like the one given, most alike first. */
export const likelyTools = (name: string, scope: Scope): string[] =>
  nearMisses(
    name,
    TOOLS.filter((tool) => mayUse(scope, tool)).map((tool) => tool.name),
  );
