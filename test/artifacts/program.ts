/**
 * Keeps or deletes an artifact in the state of `argv[2]`, says "reached" when it comes to the step in `argv[4]`, and hangs there until
 * it is killed; without that step it says what became of it. Two artifacts of other bytes are there before. With `argv[5]`, so many
 * bytes are kept.
 */
import { writeSync } from "node:fs";
import { ArtifactFiles } from "../../src/artifacts/files.ts";
import { messageOf } from "../../src/contract/index.ts";
import { HypeError } from "../../src/contract/errors.ts";
import { aFile, bytesOf, Shelf } from "./world.ts";

const [place = "", operation = "", step = "", size = "0"] = process.argv.slice(2);

/** Of the synchronous parts, where nothing else of this process could say it. */
function hang(): never {
  writeSync(1, "reached\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  process.exit(1);
}
function hangBefore(target: object, method: string): void {
  Object.defineProperty(target, method, { value: hang });
}
const forever = () => {
  writeSync(1, "reached\n");
  return new Promise<never>(() => {});
};

async function* body(): AsyncGenerator<Uint8Array> {
  yield bytesOf("half made ");
  if (step === "arriving") await forever();
  for (let left = Number(size); left > 0; left -= 65_536) yield new Uint8Array(Math.min(left, 65_536)).fill(7);
  yield bytesOf("and whole");
}

const shelf = new Shelf({ place });
const { artifacts, store } = shelf;
const steps: Record<string, () => void> = {
  placing: () => hangBefore(ArtifactFiles.prototype, "place"),
  inserting: () => hangBefore(store.artifacts, "insert"),
  settling: () => hangBefore(ArtifactFiles.prototype, "unmark"),
  "removing the row": () => hangBefore(store.artifacts, "remove"),
  "removing the file": () => hangBefore(ArtifactFiles.prototype, "remove"),
};
try {
  if (operation === "delete") {
    const [newest] = artifacts.list({ limit: 1 }).items;
    steps[step]?.();
    artifacts.delete(newest!.id);
  } else {
    steps[step]?.();
    await artifacts.keep(aFile({ name: "last" }), body(), step === "checking" ? forever : undefined);
  }
  writeSync(1, "done\n");
} catch (thrown) {
  writeSync(1, `${thrown instanceof HypeError ? thrown.code : "bug"}: ${messageOf(thrown)}\n`);
}
