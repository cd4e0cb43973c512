import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { HypeError } from "../contract/index.ts";

/**
 * Where the compiled agent stands: beside the program, below its prefix (install.sh), or in dist/ of a checkout.
 * It is a file of its own, since embedding it would carry the Bun runtime twice.
 * @throws HypeError tool_missing naming the places looked at.
 */
export function findAgentBinary(program: string = process.execPath): string {
  const places = Bun.isStandaloneExecutable
    ? [join(dirname(program), "hype-agent"), join(dirname(program), "..", "lib", "overhyped", "hype-agent")]
    : [join(import.meta.dir, "..", "..", "dist", "hype-agent")];
  const found = places.find((place) => existsSync(place));
  if (!found)
    throw new HypeError(
      "tool_missing",
      `hype-agent is not where it should be (${places.join(", ")}): run install.sh, or \`bun run build\` in a checkout`,
      {
        tool: "hype-agent",
      },
    );
  return found;
}
