import { describe, expect, test } from "bun:test";
import { aptSources, packagesToInstall, RECIPE, recipeLines } from "../../src/image/recipe.ts";

/** What BusyBox says of a script: nothing, when it can read it. */
function syntaxFaults(text: string): string {
  const { exitCode, stderr } = Bun.spawnSync(["busybox", "sh", "-n"], { stdin: Buffer.from(text) });
  return `${exitCode} ${stderr}`;
}

describe("the recipe", () => {
  test.each(["init.sh", "customize.sh"] as const)("BusyBox can read %s", (name) => {
    expect(syntaxFaults(RECIPE[name])).toBe("0 ");
    expect(syntaxFaults(`${RECIPE[name]}\nif`)).not.toBe("0 ");
  });

  test("every command of init is an applet of BusyBox or built into its shell: nothing else is in the initramfs", () => {
    const applets = new Set(Bun.spawnSync(["busybox", "--list"]).stdout.toString().split("\n"));
    const shell = ["case", "do", "done", "else", "esac", "exec", "fi", "for", "if", "read", "then", "while", ":", "}"];
    const own = [...RECIPE["init.sh"].matchAll(/^(\w+)\(\)/gm)].map(([, name]) => name!);
    const known = new Set([...applets, ...shell, ...own]);
    const lines = RECIPE["init.sh"].split("\n").filter((line) => !/^\s*(#|\S+\)|\w+=|END$|\$|exec |\[)/.test(line));
    const commands = lines
      .map((line) =>
        line
          .trim()
          .split(/[\s;()]/)[0]!
          .replace("/bin/busybox", "busybox"),
      )
      .filter(Boolean);
    expect(commands.length).toBeGreaterThan(20);
    expect(commands.filter((command) => !known.has(command))).toEqual([]);
  });

  test("each package and module has a use", () => {
    for (const [name, use] of recipeLines(RECIPE["packages.txt"]))
      expect([name, ["guest", "build", "kernel"].includes(use ?? "")]).toEqual([name, true]);
    expect(packagesToInstall()).toContain("chromium-headless-shell");
    expect(packagesToInstall()).not.toContain("linux-image-cloud-amd64");
  });

  test("mirrors become lines of sources.list", () => {
    expect(aptSources([])).toEqual([]);
    expect(aptSources(["http://a/debian", "http://a/security"])).toEqual([
      "deb [check-valid-until=no] http://a/debian bookworm main",
      "deb [check-valid-until=no] http://a/security bookworm-security main",
    ]);
  });
});
