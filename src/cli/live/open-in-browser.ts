import { HypeError } from "../../contract/errors.ts";

/** Hands a URL to the desktop's browser and goes on. @throws HypeError tool_missing */
export function openInBrowser(url: string, env: Record<string, string | undefined>): void {
  const program = Bun.which("xdg-open", { PATH: env.PATH ?? "" });
  if (program === null)
    throw new HypeError("tool_missing", "xdg-open is not installed: open the link yourself", { tool: "xdg-open" });
  Bun.spawn([program, url], { env, stdio: ["ignore", "ignore", "ignore"] }).unref();
}
