import type { LiveMessage } from "../contract/index.ts";
import { bytes } from "../text/units.ts";
import { brief, element } from "./element.ts";
import type { Sender } from "./hand-over.ts";
import { refusalOf } from "./refusal.ts";
import { say } from "./toast.ts";

type Download = Extract<LiveMessage, { type: "download" }>["download"];
type Line = { row: HTMLElement; words: HTMLElement; save: HTMLButtonElement; saving: AbortController | null };

/** More are not shown: a page can begin thousands. */
const MAX_LINES = 8;
/** A browser reads a saved file's bytes from this address a while after the click, milliseconds. */
const KEPT_MS = 60_000;
const panel = element("downloads");

/** What the page in the VM downloads while this person acts: shown as it arrives, and saved on this machine when they ask for it. */
export class Downloads {
  #lines = new Map<string, Line>();

  constructor(private readonly sender: Pick<Sender, "path" | "token" | "page">) {
    element("downloads-close").addEventListener("click", () => this.clear());
  }

  show(download: Download): void {
    const line = this.#lines.get(download.id) ?? this.#add(download);
    line.words.textContent = stateOf(download);
    line.save.hidden = download.state !== "completed";
    panel.hidden = false;
  }

  /** Also what is on its way here. */
  clear(): void {
    for (const { saving } of this.#lines.values()) saving?.abort();
    this.#lines.clear();
    element("downloads-list").replaceChildren();
    panel.hidden = true;
  }

  #add({ id, name }: Download): Line {
    const row = document.createElement("li");
    const title = document.createElement("bdi");
    const words = document.createElement("span");
    const save = document.createElement("button");
    title.textContent = brief(name, 120);
    title.title = brief(name, 255);
    save.type = "button";
    save.textContent = "Save";
    save.setAttribute("aria-label", `Save ${brief(name, 120)}`);
    row.append(title, words, save);
    const line: Line = { row, words, save, saving: null };
    save.addEventListener("click", () => void this.#save(id, name, line));
    this.#lines.set(id, line);
    element("downloads-list").append(row);
    const [oldest, gone] = this.#lines.entries().next().value ?? [];
    if (this.#lines.size > MAX_LINES && oldest !== undefined && gone) {
      gone.saving?.abort();
      gone.row.remove();
      this.#lines.delete(oldest);
    }
    return line;
  }

  /** By a fetch and not by a plain link: the token stands in a header, never in an address. */
  async #save(id: string, name: string, line: Line): Promise<void> {
    const saving = new AbortController();
    line.saving = saving;
    line.save.disabled = true;
    const { path, token, page } = this.sender;
    try {
      const reply = await fetch(`${path}/downloads/${encodeURIComponent(id)}?page=${page}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: saving.signal,
      });
      if (!reply.ok) throw new Error(refusalOf(await reply.text(), "it was not saved"));
      const url = URL.createObjectURL(await reply.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
    } catch (thrown) {
      if (!saving.signal.aborted) say(thrown instanceof Error ? thrown.message : "It was not saved.");
    } finally {
      line.save.disabled = false;
    }
  }
}

function stateOf({ state, received_bytes, total_bytes }: Download): string {
  if (state === "completed") return bytes(received_bytes);
  if (state !== "in_progress") return state === "canceled" ? "cancelled" : "failed";
  return total_bytes === null ? bytes(received_bytes) : `${bytes(received_bytes)} of ${bytes(total_bytes)}`;
}
