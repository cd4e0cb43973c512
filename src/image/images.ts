import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/load.ts";
import { HypeError, type Image, type ImageManifest, messageOf } from "../contract/index.ts";
import type { Log } from "../log/log.ts";
import { checkOverrides } from "./overrides.ts";
import { IMAGE_FILES, readDefault, readManifest, writeDefault } from "./store.ts";
import type { BootableImage } from "./types.ts";
import { checkChangedFiles, checkFiles, type FileVerdict } from "./verify.ts";

export type ImageDetail = Image & { manifest: ImageManifest };
export type Verification = { id: string; ok: boolean; files: FileVerdict[] };

/** The images of this machine. `ref` is an id, the unique beginning of one, or `default`. */
export class Images {
  /** Checks under way, so that fifty VMs started at once read the files once. */
  readonly #checks = new Map<string, Promise<void>>();

  constructor(
    private readonly config: Pick<Config, "imageDir" | "kernel" | "initramfs">,
    private readonly log: Log,
  ) {}

  /** Newest first. Directories that are no image are left out and logged. */
  list(): Image[] {
    const known = readDefault(this.config.imageDir);
    return this.#ids()
      .flatMap((id) => {
        try {
          return [summary(readManifest(this.#directory(id)), known)];
        } catch (thrown) {
          this.log.warn("an image cannot be read", { id, error: messageOf(thrown) });
          return [];
        }
      })
      .sort((a, b) => b.created_at.localeCompare(a.created_at) || a.id.localeCompare(b.id));
  }

  /** @throws HypeError image_not_found | image_invalid */
  get(ref: string): ImageDetail {
    const manifest = readManifest(this.#directory(this.#find(ref)));
    return { ...summary(manifest, readDefault(this.config.imageDir)), manifest };
  }

  /**
   * The image to boot, checked against its manifest (null: the default one). OVERHYPED_KERNEL and OVERHYPED_INITRAMFS stand
   * in for its own files. @throws HypeError image_not_found | image_invalid
   */
  async resolve(ref: string | null): Promise<BootableImage> {
    const id = this.#find(ref ?? "default");
    const directory = this.#directory(id);
    const manifest = readManifest(directory);
    const { kernel, initramfs } = this.config;
    checkOverrides({ kernel, initramfs });
    const own = [
      ...(kernel ? [] : [IMAGE_FILES.kernel]),
      ...(initramfs ? [] : [IMAGE_FILES.initramfs]),
      ...(manifest.format === "layered" ? [IMAGE_FILES.rootfs] : []),
    ];
    await this.#checkOnce(id, () => checkChangedFiles(directory, manifest, own, this.log));
    return {
      id,
      format: manifest.format,
      kernel: kernel ?? join(directory, IMAGE_FILES.kernel),
      initramfs: initramfs ?? join(directory, IMAGE_FILES.initramfs),
      rootfs: manifest.format === "layered" ? join(directory, IMAGE_FILES.rootfs) : null,
      manifest,
    };
  }

  /** Reads every byte of every file, whatever was found before. @throws HypeError image_not_found | image_invalid (manifest) */
  async verify(ref: string): Promise<Verification> {
    const id = this.#find(ref);
    const directory = this.#directory(id);
    const files = await checkFiles(directory, readManifest(directory).files);
    return { id, ok: files.every(({ status }) => status === "ok"), files };
  }

  /**
   * Removes an image; when it was the default, the newest of the others becomes it.
   * @param inUse image id -> names of the VMs that use it. @throws HypeError image_not_found | image_in_use
   */
  remove(ref: string, inUse: ReadonlyMap<string, readonly string[]>): string {
    const id = this.#find(ref);
    const users = inUse.get(id) ?? [];
    if (users.length > 0)
      throw new HypeError("image_in_use", `image ${id} is used by ${users.join(", ")}`, { id, vms: users });
    const wasDefault = readDefault(this.config.imageDir) === id;
    // A removal that is cut short must not leave half an image under a name that can be booted.
    const doomed = join(this.config.imageDir, `.removed-${id}`);
    rmSync(doomed, { recursive: true, force: true });
    renameSync(this.#directory(id), doomed);
    rmSync(doomed, { recursive: true, force: true });
    if (wasDefault) writeDefault(this.config.imageDir, this.list()[0]?.id ?? null);
    return id;
  }

  /** @throws HypeError image_not_found | state_unwritable */
  setDefault(ref: string): string {
    const id = this.#find(ref);
    writeDefault(this.config.imageDir, id);
    return id;
  }

  #directory(id: string): string {
    return join(this.config.imageDir, id);
  }

  #ids(): string[] {
    if (!existsSync(this.config.imageDir)) return [];
    return readdirSync(this.config.imageDir).filter(
      (name) => !name.startsWith(".") && existsSync(join(this.#directory(name), IMAGE_FILES.manifest)),
    );
  }

  #find(ref: string): string {
    if (ref === "default") {
      const id = readDefault(this.config.imageDir);
      if (id) return id;
      throw new HypeError("image_not_found", `there is no default image in ${this.config.imageDir}`, { ref });
    }
    const ids = this.#ids();
    if (ids.includes(ref)) return ref;
    const matches = ids.filter((id) => ref !== "" && id.startsWith(ref));
    if (matches.length === 1) return matches[0]!;
    const problem =
      matches.length > 1 ? `${ref} is the beginning of ${matches.join(" and ")}` : `there is no image ${ref}`;
    throw new HypeError("image_not_found", problem, { ref, matches });
  }

  #checkOnce(id: string, check: () => Promise<void>): Promise<void> {
    const running = this.#checks.get(id);
    if (running) return running;
    const started = check().finally(() => this.#checks.delete(id));
    this.#checks.set(id, started);
    return started;
  }
}

function summary(manifest: ImageManifest, defaultId: string | null): Image {
  const { id, format, kernel_version, chromium_version, agent_version, created_at, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    id,
    format,
    is_default: id === defaultId,
    kernel_version,
    chromium_version,
    agent_version,
    bytes,
    created_at,
  };
}
