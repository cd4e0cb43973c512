/** Where the service keeps things, instead of a home directory (hier(7)). */
const SERVICE_SETTINGS = {
  OVERHYPED_HOME: "/var/lib/overhyped",
  OVERHYPED_RUNTIME_DIR: "/run/overhyped",
  OVERHYPED_LOG_DIR: "/var/log/overhyped",
  OVERHYPED_NETWORK: "slot",
} as const;

/** Settings of a first setup: the service's own, changed and added to by what the environment of `hype setup` says. */
export function firstSettings(env: Record<string, string | undefined>): Record<string, string> {
  const given = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      !!entry[1] && /^OVERHYPED_(?!CONFIG$|TEST_)[A-Z_]+$/.test(entry[0]) && !entry[1].includes("\n"),
  );
  return { ...SERVICE_SETTINGS, ...Object.fromEntries(given) };
}

export const settingsText = (
  settings: Record<string, string>,
): string => `# Settings of hype on this machine: docs/configuration.md names them all.
# Read by the service and by every command of root and of the group overhyped; the environment wins.
# Made once by \`hype setup\` and yours from then on. After a change: systemctl restart overhyped (VMs go on).
${Object.entries(settings)
  .map(([name, value]) => `${name}=${value}\n`)
  .join("")}`;
