import { plainNames } from "./file-names.ts";
import { randomHex } from "./random.ts";
import { refusalOf } from "./refusal.ts";

/** What the server wants to know of a page that hands files over. */
export type Sender = {
  /** `/live/NAME` */
  path: string;
  token: string;
  page: string;
  /** The tab that is acted on. */
  tab(): string | null;
};

/**
 * Sends files into the VM, one after the other and piece by piece, whatever their size.
 * @param progress is told how much of all of them is there, from 0 to 1
 * @throws Error with a sentence for people; the signal's reason when it aborts
 */
export async function handOver(
  sender: Sender,
  files: File[],
  progress: (done: number) => void,
  signal: AbortSignal,
): Promise<{ batch: string; names: string[] }> {
  const batch = uuid();
  const names = plainNames(files.map(({ name }) => name));
  const tab = sender.tab();
  if (tab === null) throw new Error("There is no tab to hand files to.");
  const all = files.reduce((sum, { size }) => sum + size, 0) || 1;
  let sent = 0;
  for (const [at, file] of files.entries()) {
    const query = new URLSearchParams({ page: sender.page, tab });
    const url = `${sender.path}/files/${batch}/${encodeURIComponent(names[at] ?? "")}?${query}`;
    await put(url, sender.token, file, (bytes) => progress(Math.min(1, (sent + bytes) / all)), signal);
    sent += file.size;
  }
  return { batch, names };
}

/** Not by `fetch`, which does not say how much it has sent. */
function put(
  url: string,
  token: string,
  file: File,
  progress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  const request = new XMLHttpRequest();
  request.open("PUT", url);
  request.setRequestHeader("authorization", `Bearer ${token}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.upload.onprogress = ({ loaded }) => progress(loaded);
  request.onload = () =>
    request.status === 200
      ? resolve()
      : reject(new Error(refusalOf(request.responseText, "the server did not take the file")));
  request.onerror = () =>
    reject(new Error(`${file.name} could not be sent: it cannot be read, or the connection broke.`));
  request.onabort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", () => request.abort(), { once: true });
  request.send(file);
  return promise;
}

/** RFC 9562, version 4. */
const uuid = (): string => randomHex().replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
