import type * as v from "valibot";
import { HypeError, messageOf } from "../../contract/errors.ts";
import type { ImportState } from "../../contract/state.ts";
import { readFully, resolvePath } from "../command.ts";
import type { CliContext } from "../context.ts";

type State = v.InferInput<typeof ImportState>["state"];

/** Cookies and origins of a storageState file, not looked at: that is the server's. @param file `-`: standard input. @throws HypeError usage */
export async function readState(file: string, context: Pick<CliContext, "cwd" | "stdin">): Promise<State> {
  let text: string;
  try {
    text = file === "-" ? await readFully(context.stdin) : await Bun.file(resolvePath(context.cwd, file)).text();
  } catch (thrown) {
    throw new HypeError("usage", `${file} cannot be read: ${messageOf(thrown)}`);
  }
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    throw new HypeError("usage", `${file} is not JSON`); // what stands in it is not repeated
  }
  if (typeof state !== "object" || state === null || !("cookies" in state || "origins" in state))
    throw new HypeError("usage", `${file} is no storageState: it has neither cookies nor origins`);
  const { cookies, origins } = state as State;
  return { ...(cookies && { cookies }), ...(origins && { origins }) };
}
