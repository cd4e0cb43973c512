import * as v from "valibot";
import type { Scope, ToolGroup } from "../contract/index.ts";
import type { House } from "./house.ts";
import type { CallerTabs } from "./tab-memory.ts";

/**
 * What a tool does to the world. `destroy` ends what a VM, a profile or an artifact holds, for good: such a tool has a `question`, and no other
 * has. What is done within a page or to one tab is `change`, as a click is.
 */
export type Effect = "read" | "change" | "destroy";

export type Picture = { bytes: Uint8Array; mimeType: string };
/** A file that can be fetched: `uri` is one of ours (`hype://…`) or an address of the server. */
export type Link = { uri: string; name: string; mimeType: string; description?: string; bytes?: number };

/** What a tool gives, in no protocol's words. `text` is short Markdown for a model; `structured` fits the tool's `output` where it has one. */
export type ToolResult = {
  text: string;
  structured?: Record<string, unknown>;
  images?: Picture[];
  /** Files that come with the result. */
  files?: { uri: string; bytes: Uint8Array; mimeType: string }[];
  links?: Link[];
};

/** How far a long call is. `done` only grows; `total` is given where it is known. */
export type Progress = { done: number; total?: number; message: string };

/** Who calls. */
export type ToolCaller = {
  /** The key, and within it the session or client: whoever has the same id shares a current tab. */
  id: string;
  scope: Scope;
};

/** What a handler works with. */
export type ToolContext = {
  /** Everything the caller may reach; what it may not see is not there. */
  house: House;
  caller: ToolCaller;
  /** Which tab the caller used last on each VM. */
  tabs: CallerTabs;
  /** Aborts when the caller went away or cancelled: the work ends with it. */
  signal: AbortSignal;
  progress(report: Progress): void;
};

export type ToolInput = v.GenericSchema<unknown, Record<string, unknown>>;

/** One thing an AI may do. Adapters read these and name none of them. */
export type Tool<Input extends ToolInput = ToolInput> = {
  name: string;
  title: string;
  /** Written for a model: what it does, when to use it, what comes back. */
  description: string;
  group: ToolGroup;
  /** Listed where nobody asked for more: the whole of these must stay small. */
  isDefault: boolean;
  /** Of lists for one preset VM, where other tools are known and wanted; default: as `isDefault` says. */
  isDefaultForOne?: boolean;
  /** No transforms: it is shown as JSON Schema. */
  input: Input;
  /** What `structured` promises; null: only the text is meant to be read. */
  output: v.GenericSchema<unknown, Record<string, unknown>> | null;
  effect: Effect;
  /** It reaches what is not ours: pages of the web. */
  isOpenWorld: boolean;
  /** Calling it twice is as good as once. */
  isIdempotent: boolean;
  scope: Scope;
  /** What a person is to be asked before it is done; the input has `confirm` then, which says that somebody was. */
  question?: (input: v.InferOutput<Input>) => string;
  /**
   * A call leaves the browser of `vm` in a person's hands; `structured` has the `url` that opens it for them, until `expires_at`. Whoever can end
   * its turn and ask the person does so; others wait by the tool that tells who has it.
   */
  handsOver?: boolean;
  /** @throws HypeError */
  handle(input: v.InferOutput<Input>, context: ToolContext): Promise<ToolResult>;
};

type Defaults = "group" | "isDefault" | "output" | "effect" | "isOpenWorld" | "isIdempotent" | "scope";
type Described<Input extends ToolInput> = Omit<Tool<Input>, Defaults> & Partial<Pick<Tool<Input>, Defaults>>;

/** A family's tools share a group; unless they say otherwise they change something, are not listed by default and want scope operate. */
export const family =
  (group: ToolGroup) =>
  <Input extends ToolInput>(described: Described<Input>): Tool<Input> => ({
    group,
    isDefault: false,
    output: null,
    effect: "change",
    isOpenWorld: false,
    isIdempotent: false,
    scope: "operate",
    ...described,
  });
