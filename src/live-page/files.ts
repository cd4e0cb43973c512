import type { ControlCommand, LiveMessage } from "../contract/index.ts";
import { brief, element } from "./element.ts";
import { focusPage } from "./focus.ts";
import { handOver, type Sender } from "./hand-over.ts";
import { modifiersOf } from "./modifiers.ts";
import { pagePoint } from "./picture.ts";
import { say } from "./toast.ts";

type Wanted = NonNullable<Extract<LiveMessage, { type: "files_wanted" }>["wanted"]>;
type Handed = { batch: string; names: string[] };

const MAX_FILES = 100;
const panel = element("files");
const input = element<HTMLInputElement>("files-input");
const choose = element<HTMLButtonElement>("files-choose");
const bar = element<HTMLProgressElement>("files-progress");

/** Files of this machine that go into the page: chosen where it asks for some, or dropped on its picture. */
export class Files {
  #wanted: Wanted | null = null;
  #sending: AbortController | null = null;

  /** @param holds this page has control */
  constructor(
    private readonly holds: () => boolean,
    private readonly send: (command: ControlCommand) => void,
    private readonly sender: Sender,
  ) {
    choose.addEventListener("click", () => input.click());
    element("files-cancel").addEventListener("click", () => this.#cancel());
    panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.#cancel());
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      input.value = ""; // the same file may be chosen again
      if (this.#wanted && fits(files)) this.#answer(files, this.#wanted);
    });
    this.#watchDrops(element("stage"));
  }

  /** What the page opens; null: it waits for nothing any more. Where this browser lets us, its own chooser opens for the same click. */
  show(wanted: Wanted | null): void {
    this.#wanted = wanted;
    if (wanted === null) {
      this.#sending?.abort();
      panel.hidden = true;
    } else if (wanted.folder) {
      say("The page asks for a folder: only the API can give one.");
      this.#cancel();
    } else {
      input.multiple = wanted.multiple;
      input.accept = wanted.accept;
      this.#ask(wanted);
      choose.focus();
      if (navigator.userActivation?.isActive) input.click();
    }
  }

  #ask({ multiple, accept }: Wanted): void {
    const kinds = accept ? `Of these kinds: ${brief(accept, 200)}` : "";
    draw(multiple ? "The page asks for files" : "The page asks for a file", kinds);
  }

  #cancel(): void {
    this.#sending?.abort();
    panel.hidden = true;
    if (this.#wanted) this.send({ type: "files", chooser: this.#wanted.chooser, names: [] });
    this.#wanted = null;
    focusPage();
  }

  #answer(files: File[], { chooser, multiple }: Wanted): void {
    if (files.length > 1 && !multiple) return say("The page asks for one file.");
    void this.#handOver(files, (handed) => {
      if (this.#wanted?.chooser !== chooser) return;
      this.#wanted = null;
      this.send({ type: "files", chooser, ...handed });
    });
  }

  async #handOver(files: File[], done: (handed: Handed) => void): Promise<void> {
    this.#sending?.abort();
    const sending = new AbortController();
    this.#sending = sending;
    draw(files.length === 1 ? `Sending ${brief(files[0]?.name ?? "", 60)}` : `Sending ${files.length} files`, "", 0);
    try {
      const handed = await handOver(this.sender, files, (value) => (bar.value = value), sending.signal);
      if (!sending.signal.aborted && this.holds()) done(handed);
    } catch (thrown) {
      if (!sending.signal.aborted) say(thrown instanceof Error ? thrown.message : "The files were not sent.");
    }
    if (this.#sending !== sending) return;
    this.#sending = null;
    if (this.#wanted) return this.#ask(this.#wanted); // not answered: another choice may be
    panel.hidden = true;
    if (this.holds()) focusPage();
  }

  #watchDrops(stage: HTMLElement): void {
    stage.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = this.holds() ? "copy" : "none";
    });
    stage.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // else this browser leaves the live view and opens the file
      const files = [...event.dataTransfer.files];
      if (!this.holds() || !fits(files)) return;
      if (this.#wanted) return this.#answer(files, this.#wanted);
      const point = { ...pagePoint(event), modifiers: modifiersOf(event) };
      void this.#handOver(files, (handed) => this.send({ type: "drop", ...point, ...handed }));
    });
  }
}

function fits(files: File[]): boolean {
  if (files.length > MAX_FILES) say(`At most ${MAX_FILES} files at once.`);
  return files.length > 0 && files.length <= MAX_FILES;
}

/** @param progress from 0 to 1, while files are on their way */
function draw(title: string, note: string, progress: number | null = null): void {
  panel.hidden = false;
  element("files-title").textContent = title;
  element("files-note").textContent = note;
  choose.hidden = progress !== null;
  bar.hidden = progress === null;
  bar.value = progress ?? 0;
}
