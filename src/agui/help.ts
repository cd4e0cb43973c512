import type { Tool } from "../tools/tool.ts";
import { commandOf } from "./commands.ts";
import type { Run } from "./services.ts";

/** What can be said here, in Markdown: with examples of the caller's own VMs. */
export function helpText({ tools, state, caller, services }: Run): string {
  const name = caller.preset ?? state.names()[0] ?? "web";
  const examples = [
    ...(caller.preset === null ? [`/vms create ${name} --cpu 2`] : []),
    `/open example.com${caller.preset === null ? ` --vm ${name}` : ""}`,
    "/snapshot",
    "/screenshot",
    "/watch",
  ];
  const groups = Map.groupBy(tools, ({ group }: Tool) => group);
  const commands = [...groups].map(
    ([group, members]) => `- ${group}: ${members.map((tool) => `\`${commandOf(tool.name)}\``).join(", ")}`,
  );
  return [
    "I drive the browsers of this machine. Say a command, a call as JSON, or a plain sentence such as `open example.com`.",
    examples.map((line) => `- \`${line}\``).join("\n"),
    `Everything there is:\n${commands.join("\n")}`,
    ...(services.llm ? [`Anything else goes to the model ${services.llm.model}.`] : []),
  ].join("\n\n");
}
