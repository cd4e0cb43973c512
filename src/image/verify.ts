import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { HypeError, type ImageFile, type ImageManifest, messageOf } from "../contract/index.ts";
import { writeAtomic } from "../host/files.ts";
import type { Log } from "../log/log.ts";
import { sha256Of } from "./sha256.ts";
import { IMAGE_FILES } from "./store.ts";

/** What checking one file found. `detail` says what is wrong. */
export type FileVerdict = { name: string; status: "ok" | "missing" | "damaged"; detail: string | null };

/** Reads every byte of the files and compares with the manifest. */
export async function checkFiles(directory: string, files: readonly ImageFile[]): Promise<FileVerdict[]> {
  return await Promise.all(files.map((file) => checkFile(directory, file)));
}

async function checkFile(directory: string, { name, bytes, sha256 }: ImageFile): Promise<FileVerdict> {
  const path = join(directory, name);
  try {
    const size = statSync(path).size;
    if (size !== bytes) return { name, status: "damaged", detail: `has ${size} bytes, not ${bytes}` };
    const found = await sha256Of(path);
    if (found === sha256) return { name, status: "ok", detail: null };
    return { name, status: "damaged", detail: `has SHA-256 ${found}, not ${sha256}` };
  } catch (thrown) {
    return { name, status: "missing", detail: messageOf(thrown) };
  }
}

/** @throws HypeError image_invalid naming every bad file. */
export function throwIfDamaged(id: string, verdicts: readonly FileVerdict[]): void {
  const bad = verdicts.filter(({ status }) => status !== "ok");
  if (bad.length === 0) return;
  const words = bad.map(({ name, status, detail }) => `${name} is ${status} (${detail})`);
  throw new HypeError("image_invalid", `image ${id}: ${words.join("; ")}`, { id, files: bad });
}

/**
 * Checks the named files like {@link checkFiles}, but only those that changed since they were last found good: a file is known
 * by size, inode and the nanosecond it was written. The verdicts stand in `verified.json` beside the manifest.
 */
export async function checkChangedFiles(directory: string, manifest: ImageManifest, names: string[], log: Log) {
  const known = readKnown(directory);
  const wanted = manifest.files.filter(({ name }) => names.includes(name));
  const changed = wanted.filter((file) => known[file.name] !== identity(directory, file));
  if (changed.length === 0) return;
  // Taken before reading: a file written to meanwhile has another identity afterwards and is read again next time.
  const identities = changed.map((file) => [file.name, identity(directory, file)] as const);
  throwIfDamaged(manifest.id, await checkFiles(directory, changed));
  try {
    const text = JSON.stringify({ ...known, ...Object.fromEntries(identities) }, null, 2);
    writeAtomic(join(directory, IMAGE_FILES.verified), `${text}\n`, 0o644);
  } catch (thrown) {
    log.warn("the image's check cannot be noted and will be repeated", { directory, error: thrown });
  }
}

function identity(directory: string, { name, sha256 }: ImageFile): string | null {
  const found = statSync(join(directory, name), { bigint: true, throwIfNoEntry: false });
  return found ? `${sha256} ${found.size} ${found.ino} ${found.mtimeNs} ${found.ctimeNs}` : null;
}

const Known = v.record(v.string(), v.nullable(v.string()));

function readKnown(directory: string): v.InferOutput<typeof Known> {
  try {
    return v.parse(Known, JSON.parse(readFileSync(join(directory, IMAGE_FILES.verified), "utf8")));
  } catch {
    return {}; // never checked, or the note is unreadable: check
  }
}
