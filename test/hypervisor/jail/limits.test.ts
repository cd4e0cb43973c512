import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { memoryLimitMb, setLimits } from "../../../src/hypervisor/jail/limits.ts";
import { temporaryDirectory } from "../../lib/temporary.ts";

const vm = { cpuCores: 2, memoryMb: 2048, accelerator: "kvm" } as const;

test("a VM's memory limit is the guest's memory and what a VMM needs beside it", () => {
  expect(memoryLimitMb(vm)).toBe(2048 + 256 + 64);
  expect(memoryLimitMb({ ...vm, accelerator: "tcg" })).toBe(2048 + 256 + 64 + 1024);
});

/** A directory that looks like a cgroup to whoever writes it. */
function standIn(directory: { join(...parts: string[]): string }, controllers: string, files: string[]): void {
  writeFileSync(directory.join("cgroup.controllers"), `${controllers}\n`);
  for (const name of files) writeFileSync(directory.join(name), "");
}
const EVERY = ["memory.max", "memory.swap.max", "memory.oom.group", "cpu.max", "cpu.weight", "pids.max"];

test("every limit is written where the kernel has its controllers", () => {
  using directory = temporaryDirectory();
  standIn(directory, "cpuset cpu io memory pids", EVERY);
  expect(setLimits(directory.path, vm)).toEqual({
    measures: ["memory-limit", "cpu-limit", "pids-limit"],
    missing: [],
  });
  expect(EVERY.map((name) => readFileSync(directory.join(name), "utf8"))).toEqual([
    String(2368 * 1_048_576),
    "0",
    "1",
    "250000 100000",
    "200",
    "258",
  ]);
});

test("a controller that is not there is named, a file that is not there is not made", () => {
  using directory = temporaryDirectory();
  standIn(directory, "pids", ["pids.max"]);
  const { measures, missing } = setLimits(directory.path, vm);
  expect(measures).toEqual(["pids-limit"]);
  expect(missing.map(({ measure, reason }) => [measure, /no (memory|cpu) controller/.test(reason)])).toEqual([
    ["memory-limit", true],
    ["cpu-limit", true],
  ]);
  expect(existsSync(directory.join("memory.max"))).toBe(false);
});

test("a limit the kernel refuses is missing, in its words; swap and weight may lack", () => {
  using directory = temporaryDirectory();
  standIn(directory, "memory cpu pids", ["memory.max", "pids.max"]);
  chmodSync(directory.join("memory.max"), 0o600);
  const { measures, missing } = setLimits(directory.path, vm);
  expect(measures).toEqual(["memory-limit", "pids-limit"]);
  expect(missing).toEqual([{ measure: "cpu-limit", reason: expect.stringContaining("cpu.max") }]);
});
