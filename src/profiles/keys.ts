import type { HypeError } from "../contract/index.ts";
import type { StoredProfile } from "../store/profiles.ts";
import type { Store } from "../store/store.ts";
import { keyIdOf, type SealingKey, unreadable } from "./envelope.ts";
import { Keyring } from "./keyring.ts";

/** Which key opens a profile, and which one seals. */
export class ProfileKeys {
  readonly #keyring: Keyring;

  constructor(
    path: string,
    private readonly profiles: Store["profiles"],
  ) {
    this.#keyring = new Keyring(path);
  }

  /** The key that opens it. @param head first bytes of its file @throws HypeError profile_unreadable saying what is missing */
  of(profile: StoredProfile, head: Buffer): SealingKey {
    const id = keyIdOf(head, `the file of profile ${profile.name}`);
    const keys = this.#keyring.read();
    if (keys === null) throw this.#none();
    const key = keys.find((known) => known.id === id);
    if (!key)
      throw unreadable(`profile ${profile.name} is sealed with key ${id}, which is not in ${this.#keyring.path}`);
    return key;
  }

  /** The key that seals; made when nothing has been sealed yet. @throws HypeError profile_unreadable */
  current(): SealingKey {
    const keys = this.#keyring.read();
    if (keys !== null) return keys[0];
    // A new key in the place of a lost one would hide that the others cannot be opened.
    if (this.profiles.all().length > 0) throw this.#none();
    return this.#keyring.add();
  }

  /** Makes a new one that seals; the others stay until {@link dropOld}. @throws HypeError profile_unreadable */
  renew(): void {
    this.current();
    this.#keyring.add();
  }

  /** Whether a rotation was left in its middle. @throws HypeError profile_unreadable */
  hasOld(): boolean {
    return (this.#keyring.read()?.length ?? 0) > 1;
  }

  dropOld(): void {
    this.#keyring.dropOld();
  }

  #none = (): HypeError =>
    unreadable(`the key file ${this.#keyring.path} is missing: put it back, or delete the profiles it sealed`);
}
