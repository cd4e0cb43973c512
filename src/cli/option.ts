import { Option } from "clipanion";

/**
 * Options with a placeholder for help, completion and docs: clipanion itself shows `--cpu #0`. The placeholder leads the
 * description as `<word>`; `describeOption` takes it apart again.
 */
export const text = (flags: string, placeholder: string, description: string) =>
  Option.String(flags, { description: `<${placeholder}> ${description}` });

export const texts = (flags: string, placeholder: string, description: string) =>
  Option.Array(flags, [] as string[], { description: `<${placeholder}> ${description}` });

export const flag = (flags: string, description: string) => Option.Boolean(flags, false, { description });

export type OptionDescription = { names: string[]; placeholder: string | null; description: string };

/** @param definition as clipanion gives it: `-o,--output #0` */
export function describeOption(option: { definition: string; description?: string }): OptionDescription {
  const [names = ""] = option.definition.split(" #");
  const match = /^<([^>]+)> (.*)$/s.exec(option.description ?? "");
  return {
    names: names.split(","),
    placeholder: match?.[1] ?? null,
    description: match?.[2] ?? option.description ?? "",
  };
}
