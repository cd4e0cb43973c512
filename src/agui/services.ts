import type { AguiRunInput } from "../contract/agui.ts";
import type { HypeError, ToolSelection } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import type { House } from "../tools/house.ts";
import type { TabMemory } from "../tools/tab-memory.ts";
import type { Tool, ToolCaller } from "../tools/tool.ts";
import type { Interrupts } from "./interrupts.ts";
import type { LlmSettings } from "./llm/settings.ts";
import type { RunWriter } from "./run-writer.ts";
import type { PagesNow, SharedState } from "./shared-state.ts";

/** What all runs of a server share. */
export type AguiServices = {
  interrupts: Interrupts;
  tabs: TabMemory;
  log: Log;
  /** null: no model is configured, and the operator understands commands only. */
  llm: LlmSettings | null;
};

/** Who runs, and what they reach. Built by the server from the key of the call. */
export type AguiCaller = {
  house: House;
  pages: PagesNow;
  /** `id` is the key's. */
  key: ToolCaller;
  /** Is told of every call that was to change something, once it is over. */
  noteChange(change: { tool: string; vm: string | null; error: HypeError | null; durationMs: number }): void;
  /** The VM the address names; null: the caller names one. */
  preset: string | null;
};

/** One run, and everything it works with. */
export type Run = {
  input: AguiRunInput;
  services: AguiServices;
  caller: AguiCaller;
  /** Tools the caller may use. */
  tools: readonly Tool[];
  state: SharedState;
  writer: RunWriter;
  signal: AbortSignal;
  /** Which of them a model is offered. */
  offered: ToolSelection;
};
