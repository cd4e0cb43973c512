import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import dockerfile from "../../images/Dockerfile" with { type: "text" };
import customize from "../../images/customize.sh" with { type: "text" };
import init from "../../images/init.sh" with { type: "text" };
import inittab from "../../images/inittab" with { type: "text" };
import modules from "../../images/modules.txt" with { type: "text" };
import packages from "../../images/packages.txt" with { type: "text" };

/** The recipe's files, embedded: the installed program builds images without a checkout. */
export const RECIPE = {
  Dockerfile: dockerfile,
  "customize.sh": customize,
  "init.sh": init,
  inittab,
  "modules.txt": modules,
  "packages.txt": packages,
} as const;

/** Debian release the guest is made of. */
export const SUITE = "bookworm";

/** Date of every file in an image (reproducible-builds.org): 2026-01-01. */
export const SOURCE_DATE_EPOCH = 1_767_225_600;

/** Packages to install in the system that customize.sh runs in. */
export const packagesToInstall = (): string[] =>
  recipeLines(packages)
    .filter(([, use]) => use === "guest" || use === "build")
    .map(([name = ""]) => name);

/** Words of each line of a recipe file, comments and empty lines left out. */
export const recipeLines = (text: string): string[][] =>
  text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter(Boolean)
    .map((line) => line.split(/\s+/));

/**
 * Lines for apt's sources.list out of OVERHYPED_APT_MIRROR: the archive and, if named, the security archive.
 * Empty: the tools' own default. Old mirrors (snapshots) are allowed, signatures are still checked.
 */
export const aptSources = ([archive, security]: readonly string[]): string[] => [
  ...(archive ? [`deb [check-valid-until=no] ${archive} ${SUITE} main`] : []),
  ...(security ? [`deb [check-valid-until=no] ${security} ${SUITE}-security main`] : []),
];

/** Writes the recipe's files for the tools that make the root tree. */
export function writeRecipe(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(RECIPE)) writeFileSync(join(directory, name), text);
}
