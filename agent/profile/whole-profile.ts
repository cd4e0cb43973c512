import { existsSync } from "node:fs";
import { mkdir, readdir, chown, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import {
  HypeError,
  type WholeProfileAbout,
  type WholeProfileHead,
  type WholeProfileTaken,
} from "../../src/contract/index.ts";
import { faultOf, HEAD } from "../../src/profile-archive/read-archive.ts";
import { tar, type TarFile } from "../../src/profile-archive/tar.ts";
import type { Browser } from "../chromium/supervisor.ts";
import type { Settings } from "../settings.ts";
import { getCookies, setCookies } from "../state/cookies.ts";
import type { State } from "../state/state.ts";
import { keptFiles } from "./kept-files.ts";
import { openTabsOf, reopen } from "./open-tabs.ts";
import { unpack } from "./unpack.ts";

/** Quick, and a third the size: it goes through the network of an emulated guest. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The files of this browser's profile: how they leave, and how another browser's come in. */
export class WholeProfile {
  readonly #arriving: string;
  /** There once a profile was taken: an agent that is restarted goes on with it. */
  readonly #taken: string;
  /** Set once all of a profile is with the browser. Of this agent's time alone: the session's cookies end with it. */
  #answer: WholeProfileTaken | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly browser: Browser,
    private readonly state: State,
    private readonly settings: Pick<Settings, "userDataDir" | "tokenFile" | "browserUid" | "expectProfile">,
  ) {
    this.#arriving = `${settings.userDataDir}-arriving`;
    this.#taken = join(dirname(settings.tokenFile), "profile-taken");
  }

  /** Starts the browser, unless its profile is still to come. */
  start(): void {
    if (!this.settings.expectProfile || existsSync(this.#taken)) this.browser.start();
  }

  /** There is no profile to wait for after all. */
  none(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#taking();
      this.browser.start();
    });
  }

  /**
   * Closes the browser, sends its files and starts it again with the pages that were open: their session storage is lost.
   * @param begin called with what is known of it, gives the stream it goes into; that is ended once the browser is usable again
   */
  save(begin: (about: WholeProfileAbout) => NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      await this.browser.ready(signal);
      const { version } = this.browser.running;
      const context = await this.state.context(undefined, signal);
      const [{ items: cookies }, { all: origins }, tabs] = await Promise.all([
        getCookies(context, {}),
        this.state.origins(context),
        openTabsOf(this.browser, context.id, signal),
      ]);
      const about: WholeProfileAbout = { chromium: version, cookies: cookies.length, origins: origins.length };
      const head: WholeProfileHead = {
        format: 1,
        ...about,
        session_cookies: cookies.filter(({ expires }) => expires < 0),
      };
      const into = begin(about);
      try {
        await this.browser.whileClosed(
          () =>
            pipeline(tar(withHead(head, keptFiles(this.settings.userDataDir))), createZstdCompress(COMPRESSION), into, {
              end: false,
              signal,
            }),
          signal,
        );
      } finally {
        await this.#again(head.session_cookies, tabs);
      }
      into.end();
    });
  }

  /**
   * Puts the files of an archive in the place of this browser's and starts it with them. Before all of it came nothing is changed.
   * Taken once, it stays: a browser somebody was told of is not replaced, and whoever sends one again (a server that took over from a
   * dead one, or did not hear the answer) is told what was taken.
   * @throws HypeError `invalid_request` | `payload_too_large` | `guest_disk_full` | `profile_too_new` | `state_incomplete` | `cancelled`
   */
  take(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<WholeProfileTaken> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      if (this.#answer) {
        for await (const _sentAgain of source) signal.throwIfAborted();
        await this.#usable(signal);
        return this.#answer;
      }
      try {
        await rm(this.#arriving, { recursive: true, force: true });
        await mkdir(this.#arriving, { mode: 0o700, recursive: true });
        const head = await this.#unpack(source, signal);
        await this.browser.whileClosed(async () => {
          await rm(this.settings.userDataDir, { recursive: true, force: true });
          await rename(this.#arriving, this.settings.userDataDir);
          await this.#taking();
        }, signal);
        await this.#usable(signal);
        const { version } = this.browser.running;
        if (major(version) < major(head.chromium))
          throw new HypeError(
            "profile_too_new",
            `it was saved from ${head.chromium}; this browser is ${version}, and an older one does not read what a newer one wrote`,
          );
        await setCookies(await this.state.context(undefined, signal), head.session_cookies);
        this.#answer = { session_cookies: head.session_cookies.length };
        return this.#answer;
      } finally {
        await rm(this.#arriving, { recursive: true, force: true });
      }
    });
  }

  async #unpack(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<WholeProfileHead> {
    const plain = createZstdDecompress();
    let head: WholeProfileHead | undefined;
    try {
      await pipeline(
        source,
        plain,
        async (bytes: AsyncIterable<Uint8Array>) => void (head = await unpack(bytes, this.#arriving)),
        { signal },
      );
    } catch (thrown) {
      signal.throwIfAborted();
      throw faultOf(thrown);
    }
    const uid = this.settings.browserUid;
    if (uid !== null)
      for (const name of ["", ...(await readdir(this.#arriving, { recursive: true }))])
        await chown(join(this.#arriving, name), uid, uid);
    return head!;
  }

  /** A Chromium that dies of a profile would be given an empty one after some deaths: that is not what was asked for. */
  async #usable(signal: AbortSignal): Promise<void> {
    const died = Promise.withResolvers<never>();
    const unsubscribe = this.browser.subscribe((event) => {
      if (event.type === "browser_died")
        died.reject(new HypeError("state_incomplete", `Chromium does not start with the profile: ${event.reason}`));
    });
    try {
      await Promise.race([this.browser.ready(signal), died.promise]);
      signal.throwIfAborted();
    } finally {
      unsubscribe();
      died.promise.catch(() => {});
    }
  }

  /** The browser as it was before it was closed, as far as that can be had. */
  async #again(cookies: unknown[], tabs: string[]): Promise<void> {
    const signal = AbortSignal.timeout(AGAIN_MS);
    if (!(await this.browser.ready(signal))) return;
    const context = await this.state.context(undefined, signal);
    await setCookies(context, cookies);
    await reopen(this.browser, tabs, signal);
  }

  async #taking(): Promise<void> {
    await mkdir(dirname(this.#taken), { recursive: true, mode: 0o700 });
    await writeFile(this.#taken, "", { mode: 0o600 });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.catch(() => {}).then(work);
    this.#turn = turn;
    return await turn;
  }
}

/** Chromium's start under software emulation on a busy host, ms. */
const AGAIN_MS = 120_000;

/** `HeadlessChrome/156.0.8078.79` -> 156 */
const major = (product: string): number => Number(/\/(\d+)\./.exec(product)?.[1] ?? 0);

async function* withHead(head: WholeProfileHead, files: AsyncIterable<TarFile>): AsyncGenerator<TarFile> {
  const content = Buffer.from(JSON.stringify(head));
  yield { path: HEAD, bytes: content.length, content: once(content) };
  yield* files;
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
