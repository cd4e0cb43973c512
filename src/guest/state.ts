import {
  type ClearCookies,
  type ClearState,
  CookieList,
  CookiesCleared,
  CookiesSet,
  type ExportState,
  type GetCookies,
  type GetStorage,
  type ImportState,
  MAX_STATE_BYTES,
  type SetCookies,
  type SetStorage,
  StateCleared,
  StateExported,
  StateImported,
  StorageList,
} from "../contract/index.ts";
import { asking, type Operate } from "./http.ts";

/** What a browser keeps: cookies, storage, and both as one state. Throws as {@link Guest} does. */
export class GuestState {
  readonly #ask: ReturnType<typeof asking>;

  constructor(private readonly operate: Operate) {
    this.#ask = asking(operate, MAX_STATE_BYTES);
  }

  getCookies(request: GetCookies, signal?: AbortSignal): Promise<CookieList> {
    return this.#ask("get-cookies", request, CookieList, signal);
  }
  /** @throws HypeError `state_invalid` naming each bad cookie | `state_incomplete` */
  setCookies(request: SetCookies, signal?: AbortSignal): Promise<CookiesSet> {
    return this.#ask("set-cookies", request, CookiesSet, signal);
  }
  clearCookies(request: ClearCookies, signal?: AbortSignal): Promise<CookiesCleared> {
    return this.#ask("clear-cookies", request, CookiesCleared, signal);
  }
  getStorage(request: GetStorage, signal?: AbortSignal): Promise<StorageList> {
    return this.#ask("get-storage", request, StorageList, signal);
  }
  async setStorage(request: SetStorage, signal?: AbortSignal): Promise<void> {
    await this.operate("set-storage", request, MAX_STATE_BYTES, signal);
  }
  /** Playwright's storageState. */
  export(request: ExportState, signal?: AbortSignal): Promise<StateExported> {
    return this.#ask("export-state", request, StateExported, signal);
  }
  /** @throws HypeError `state_invalid` | `state_incomplete` */
  import(request: ImportState, signal?: AbortSignal): Promise<StateImported> {
    return this.#ask("import-state", request, StateImported, signal);
  }
  clear(request: ClearState, signal?: AbortSignal): Promise<StateCleared> {
    return this.#ask("clear-state", request, StateCleared, signal);
  }
}
