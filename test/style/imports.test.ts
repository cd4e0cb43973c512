import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";
import { rooms } from "./rules.ts";

const root = join(import.meta.dir, "..", "..");
const files = [...new Bun.Glob("{src,agent}/**/*.ts").scanSync(root)].sort();

/** `src/engine/create.ts` -> `engine`; `agent/door.ts` -> `agent`; `src/main.ts` -> `main`. */
const roomOf = (file: string): string => {
  const [top, second = ""] = file.split("/");
  return top === "agent" ? "agent" : second.replace(/\.ts$/, "");
};

const importsOf = async (file: string): Promise<string[]> => {
  const text = await Bun.file(join(root, file)).text();
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => relative(root, join(root, dirname(file), specifier)));
};

test("rooms import only the rooms below them", async () => {
  const faults: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    const allowed = rooms[room];
    if (!allowed) {
      faults.push(`${file}: room ${room} is not in test/style/rules.ts`);
      continue;
    }
    for (const target of await importsOf(file)) {
      if (!target.startsWith("src/") && !target.startsWith("agent/")) continue;
      const other = roomOf(target);
      if (other !== room && !allowed.includes(other)) faults.push(`${file} imports ${target}`);
    }
  }
  expect(faults).toEqual([]);
});

test("only config reads the environment", async () => {
  const faults: string[] = [];
  for (const file of files) {
    if (file.startsWith("src/config/") || file === "src/host/run.ts" || file === "src/host/process.ts") continue;
    if (/process\.env\b|Bun\.env\b/.test(await Bun.file(join(root, file)).text())) faults.push(file);
  }
  expect(faults).toEqual([]);
});

test("domain code throws HypeError only", async () => {
  const domain = /^src\/(store|host|image|network|hypervisor|guest|engine|config)\//;
  const faults: string[] = [];
  for (const file of files.filter((name) => domain.test(name)))
    if (/throw new (Type|Range)?Error\(/.test(await Bun.file(join(root, file)).text())) faults.push(file);
  expect(faults).toEqual([]);
});
