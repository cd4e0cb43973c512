import { KeepKind } from "../../contract/artifact.ts";
import { oneOf } from "../arguments/quantities.ts";

/** Kinds a VM keeps by itself, each once; commas may part them. @throws HypeError usage */
export const keptKinds = (flag: string, texts: readonly string[]): KeepKind[] => [
  ...new Set(texts.flatMap((text) => text.split(",")).map((text) => oneOf(flag, text, KeepKind.options))),
];
