import { homedir } from "node:os";
import { join } from "node:path";

/** Where a person's own settings lie (XDG Base Directory Specification): `$XDG_CONFIG_HOME`, else `~/.config`. */
const userConfigDir = (env: Record<string, string | undefined>): string =>
  env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : join(env.HOME || homedir(), ".config");

/** What the terminal interface remembers. */
export const tuiSettingsFile = (env: Record<string, string | undefined>): string =>
  join(userConfigDir(env), "overhyped", "tui.json");
