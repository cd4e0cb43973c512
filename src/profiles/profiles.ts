import type { Config } from "../config/load.ts";
import { paths } from "../config/paths.ts";
import {
  checkCookies,
  HypeError,
  type ImportedProfile,
  type ImportProfile,
  MAX_PROFILE_BYTES,
  messageOf,
  type Profile,
  type RotatedKey,
  type SavedProfile,
  type SaveProfile,
  type StorageState,
  type WholeProfileAbout,
  type WholeProfileHead,
} from "../contract/index.ts";
import type { Guest } from "../guest/guest.ts";
import type { Log } from "../log/log.ts";
import type { StoredProfile } from "../store/profiles.ts";
import type { Store } from "../store/store.ts";
import { Budget } from "./budget.ts";
import { keyIdOf, seal, unseal } from "./envelope.ts";
import { inspected } from "./inspected.ts";
import { ProfileKeys } from "./keys.ts";
import { placeOf, SealedFiles } from "./sealed-files.ts";
import { counted, sealing, unsealing } from "./sealed-stream.ts";

/** How long a guest may take to tell its state, ms. */
const TELL_MS = 300_000;
/** The same for all of a profile's files. */
const WHOLE_MS = 900_000;

/**
 * Browsers' states that outlive their VMs. The row says what there is, a sealed file holds it. New content is a new file: the row
 * is changed once the file is on disk, and the old one goes last, so that a death in between leaves one or the other.
 */
export class Profiles {
  readonly #store: Store;
  readonly #log: Log;
  readonly #keys: ProfileKeys;
  readonly #files: SealedFiles;
  /** Ten VMs at once with a large profile each must not fill the host's memory. */
  readonly #giving = new Budget(2 * MAX_PROFILE_BYTES);
  #rotating: Promise<RotatedKey> | null = null;
  #lastFar = 0;

  constructor({ config, store, log }: { config: Config; store: Store; log: Log }) {
    this.#store = store;
    this.#log = log;
    this.#keys = new ProfileKeys(paths.profilesKey(config), store.profiles);
    this.#files = new SealedFiles(paths.profiles(config));
  }

  /** After a start: removes what a dead server left half written, and ends the rotation it was at. What fails is logged: the profiles are not all there is. */
  async tidy(): Promise<void> {
    try {
      const strays = this.#files.removeStrays(this.#store.profiles.all());
      if (strays > 0) this.#log.info("removed files that belong to no profile", { files: strays });
      if (this.#keys.hasOld()) await this.#rotate(() => {});
    } catch (thrown) {
      this.#log.warn(`profiles: ${messageOf(thrown)}`);
    }
  }

  list(): Profile[] {
    return this.#store.profiles.all().map(shown);
  }

  /** @throws HypeError profile_not_found */
  get(name: string): Profile {
    return shown(this.#mustFind(name));
  }

  /**
   * Keeps what the browser of a running VM holds now.
   * @throws HypeError profile_name_taken (before the guest is asked) | payload_too_large | what the guest throws | disk_full
   */
  async save(
    { name, replace, whole = false }: Omit<SaveProfile, "vm" | "whole"> & { whole?: boolean },
    guest: Guest,
    signal?: AbortSignal,
  ): Promise<SavedProfile> {
    this.#mustBeFree(name, replace);
    if (whole) return await this.#saveWhole(name, replace, guest, signal);
    const { omitted, ...state } = await guest.state.export({ indexeddb: true, timeout_ms: TELL_MS }, signal);
    return { ...this.#keep(name, state, replace), ...(omitted && { omitted }) };
  }

  /**
   * Keeps a state that was exported somewhere. Cookies whose time is over are left out.
   * @throws HypeError state_invalid naming each bad cookie | profile_name_taken | payload_too_large | disk_full
   */
  import(name: string, { state, replace }: ImportProfile): ImportedProfile {
    this.#mustBeFree(name, replace);
    const { good, expired } = checkCookies(state.cookies);
    return { ...this.#keep(name, { cookies: good, origins: state.origins }, replace), expired };
  }

  /** Its content, as JSON in Playwright's storageState form. @throws HypeError profile_not_found | profile_unreadable | invalid_request for a whole one */
  export(name: string): Buffer {
    const profile = this.#mustFind(name);
    if (profile.kind === "whole")
      throw new HypeError(
        "invalid_request",
        `${name} is a whole profile, Chromium's own files: export its archive, or make a VM with it and save that one's state`,
        { profile: name },
      );
    return this.#open(profile);
  }

  /**
   * The archive of a whole one, as it is read.
   * @throws HypeError profile_not_found | invalid_request for a state | profile_unreadable, also from the bytes
   */
  exportArchive(name: string): { size_bytes: number; bytes: AsyncIterable<Uint8Array> } {
    const profile = this.#mustFind(name);
    if (profile.kind !== "whole")
      throw new HypeError("invalid_request", `${name} is no whole profile: export its state`, { profile: name });
    return { size_bytes: profile.size_bytes, bytes: this.#opening(profile) };
  }

  /**
   * Keeps the archive of a whole profile that was exported somewhere, while it comes; nothing of it when it is no good.
   * @throws HypeError invalid_request saying what is wrong with it | profile_name_taken | payload_too_large | disk_full
   */
  async importArchive(name: string, replace: boolean, archive: AsyncIterable<Uint8Array>): Promise<Profile> {
    this.#mustBeFree(name, replace);
    let head!: WholeProfileHead;
    const good = inspected(archive, (found) => (head = found));
    return await this.#keepWhole(name, replace, good, () => head);
  }

  /** Whether its browser must not start before it was given. A profile that is not there is none. */
  isWhole(name: string): boolean {
    return this.#store.profiles.find(name)?.kind === "whole";
  }

  /** VMs that run keep what they were given. @throws HypeError profile_not_found */
  delete(name: string): void {
    const profile = this.#mustFind(name);
    this.#store.write(() => this.#store.profiles.remove(profile.id));
    this.#files.remove(profile);
    this.#log.info(`profile ${name} is deleted`);
  }

  /** For whoever is about to make a VM with it: looks at row, file and key, and opens nothing. @throws HypeError profile_not_found | profile_unreadable */
  mustBeUsable(name: string): void {
    const profile = this.#mustFind(name);
    this.#keys.of(profile, this.#files.readHead(profile));
  }

  /**
   * Gives a browser the content of a profile. The browser gets a copy: what it does with it changes no profile.
   * @throws HypeError profile_not_found | profile_unreadable | state_incomplete and what else the guest throws
   */
  async give(name: string, guest: Guest, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.isWhole(name)) {
      await guest.profile.write(
        this.#opening(this.#mustFind(name)),
        AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      );
      return;
    }
    await this.#giving.run(this.#mustFind(name).size_bytes, signal, async () => {
      const state = JSON.parse(this.#open(this.#mustFind(name)).toString()) as StorageState;
      await guest.state.import({ state, replace: false, timeout_ms: timeoutMs }, signal);
    });
  }

  /**
   * Seals every profile anew with a new key. The old keys stay until nothing is left that only they open, so that a death in the
   * middle costs nothing: the next server goes on. Two callers at once share one rotation.
   * @throws HypeError profile_unreadable when the key file is not usable | disk_full
   */
  rotateKey(): Promise<RotatedKey> {
    this.#rotating ??= this.#rotate(() => this.#keys.renew()).finally(() => (this.#rotating = null));
    return this.#rotating;
  }

  async #rotate(begin: () => void): Promise<RotatedKey> {
    begin();
    for (const { name } of this.#store.profiles.all()) {
      await new Promise<void>((resolve) => setImmediate(resolve)); // others are served in between
      const profile = this.#store.profiles.find(name); // as it is now: it may be gone, or new
      if (profile) await this.#sealAnew(profile);
    }
    const profiles = this.#store.profiles.all();
    const unreadables = profiles.filter((profile) => !this.#isCurrent(profile)).map(({ name }) => name);
    if (unreadables.length === 0) this.#keys.dropOld();
    this.#log.info("profiles are sealed with a new key", { profiles: profiles.length, unreadable: unreadables });
    return { profiles: profiles.length - unreadables.length, unreadable: unreadables };
  }

  async #sealAnew(profile: StoredProfile): Promise<void> {
    try {
      if (this.#isCurrent(profile)) return;
      const [key, place] = [this.#keys.current(), placeOf(profile)];
      if (profile.kind === "state") return this.#files.write(profile, seal(this.#open(profile), key, place));
      await this.#files.writeStream(profile, sealing(this.#opening(profile), key, place));
      // It may have been deleted or replaced while it was sealed.
      if (this.#store.profiles.find(profile.name)?.revision !== profile.revision) this.#files.remove(profile);
    } catch (thrown) {
      if (!(thrown instanceof HypeError && thrown.code === "profile_unreadable")) throw thrown;
      this.#log.warn(`profile ${profile.name} keeps its old key: ${thrown.message}`);
    }
  }

  #isCurrent(profile: StoredProfile): boolean {
    try {
      return keyIdOf(this.#files.readHead(profile), profile.name) === this.#keys.current().id;
    } catch {
      return false;
    }
  }

  #keep(name: string, state: StorageState, replace: boolean): Profile {
    const content = Buffer.from(JSON.stringify(state));
    if (content.length > MAX_PROFILE_BYTES)
      throw new HypeError(
        "payload_too_large",
        `the state has ${content.length} bytes; a profile holds at most ${MAX_PROFILE_BYTES}`,
        { limit_bytes: MAX_PROFILE_BYTES },
      );
    this.#mustBeFree(name, replace); // it may have been taken while the guest was asked
    const before = this.#store.profiles.find(name);
    const place = { id: before?.id ?? Bun.randomUUIDv7(), revision: (before?.revision ?? 0) + 1 };
    this.#files.write(place, seal(content, this.#keys.current(), placeOf(place)));
    const [cookies, origins] = [state.cookies.length, state.origins.length];
    return this.#put({ ...place, name, kind: "state", chromium: null, cookies, origins, size_bytes: content.length });
  }

  async #saveWhole(name: string, replace: boolean, guest: Guest, signal?: AbortSignal): Promise<Profile> {
    const patience = AbortSignal.any([AbortSignal.timeout(WHOLE_MS), ...(signal ? [signal] : [])]);
    const { about, bytes } = await guest.profile.read(patience);
    return await this.#keepWhole(name, replace, bytes, () => about);
  }

  /** Seals an archive while it comes. @param about asked once all of it is there */
  async #keepWhole(
    name: string,
    replace: boolean,
    bytes: AsyncIterable<Uint8Array>,
    about: () => WholeProfileAbout,
  ): Promise<Profile> {
    // A place of its own: others may keep something by that name meanwhile.
    const place = { id: this.#store.profiles.find(name)?.id ?? Bun.randomUUIDv7(), revision: this.#farRevision() };
    const count = { bytes: 0 };
    let key = this.#keys.current();
    await this.#files.writeStream(place, sealing(counted(bytes, count), key, placeOf(place)));
    try {
      for (let now = this.#keys.current(); now.id !== key.id; now = this.#keys.current()) {
        // The key was changed meanwhile, and the old one is gone with the end of that.
        const sealed = this.#files.readStream({ ...place, name });
        await this.#files.writeStream(
          place,
          sealing(unsealing(sealed, key, placeOf(place), name), now, placeOf(place)),
        );
        key = now;
      }
      this.#mustBeFree(name, replace);
    } catch (thrown) {
      this.#files.remove(place);
      throw thrown;
    }
    const { chromium, cookies, origins } = about();
    return this.#put({ ...place, name, kind: "whole", chromium, cookies, origins, size_bytes: count.bytes });
  }

  /** Larger than any that counting up from older ones comes to, and no two alike. */
  #farRevision(): number {
    this.#lastFar = Math.max(this.#lastFar + 1, Date.now() * 1_000);
    return this.#lastFar;
  }

  /** The row for a file that is on disk; the file it replaces goes last. */
  #put(kept: Omit<StoredProfile, "created_at" | "updated_at">): Profile {
    const before = this.#store.profiles.find(kept.name);
    const at = new Date().toISOString();
    const profile: StoredProfile = { ...kept, created_at: before?.created_at ?? at, updated_at: at };
    try {
      this.#store.write(() => {
        if (before && before.id !== profile.id) this.#store.profiles.remove(before.id);
        this.#store.profiles.put(profile);
      });
    } catch (thrown) {
      this.#files.remove(profile);
      throw thrown;
    }
    if (before) this.#files.remove(before);
    this.#log.info(`profile ${kept.name} is kept`, { bytes: kept.size_bytes });
    return shown(profile);
  }

  /** Content of a whole one, as it is read. @throws HypeError profile_unreadable, also from the bytes */
  #opening(profile: StoredProfile): AsyncIterable<Uint8Array> {
    const key = this.#keys.of(profile, this.#files.readHead(profile));
    const what = `the file of profile ${profile.name}`;
    return unsealing(this.#files.readStream(profile), key, placeOf(profile), what);
  }

  #open(profile: StoredProfile): Buffer {
    const sealed = this.#files.read(profile);
    const key = this.#keys.of(profile, sealed);
    return unseal(sealed, key, placeOf(profile), `the file of profile ${profile.name}`);
  }

  #mustFind(name: string): StoredProfile {
    const profile = this.#store.profiles.find(name);
    if (!profile) throw new HypeError("profile_not_found", `there is no profile ${name}`, { profile: name });
    return profile;
  }

  #mustBeFree(name: string, replace: boolean): void {
    if (!replace && this.#store.profiles.find(name))
      throw new HypeError("profile_name_taken", `there is a profile named ${name} already`, { profile: name });
  }
}

const shown = ({ revision: _revision, ...profile }: StoredProfile): Profile => profile;
