import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import * as v from "valibot";
import {
  DeleteUpload,
  ListDownloads,
  ListUploads,
  Navigate,
  ReadDownload,
  UploadName,
  WriteUpload,
} from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";
import { type Browsing, refused, startBrowsing } from "../lib/browsing.ts";

setDefaultTimeout(30_000);
let b: Browsing;
beforeAll(async () => {
  b = await startBrowsing();
  await b.open("/files");
}, 60_000);
afterAll(() => b[Symbol.asyncDispose]());

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
async function* pieces(...parts: (string | Uint8Array)[]) {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}
const put = (request: object, ...parts: (string | Uint8Array)[]) =>
  b.guest.uploads.write(v.parse(WriteUpload, request), pieces(...parts), AbortSignal.timeout(20_000));
const names = async () => (await b.guest.uploads.list(v.parse(ListUploads, {}))).items.map(({ name }) => name);
const remove = (name: string) => b.guest.uploads.delete(v.parse(DeleteUpload, { name }));

describe("an upload", () => {
  test("is listed, goes into a file input by name, is replaced and deleted", async () => {
    const upload = await put({ name: "ä b.txt" }, "hello ", "world");
    expect(upload).toEqual({
      name: "ä b.txt",
      bytes: 11,
      sha256: sha256(Buffer.from("hello world")),
      uploaded_at: expect.any(Number),
    });
    await b.act("upload", { selector: "#one", files: ["ä b.txt"] });
    expect(await b.value("textOf()")).toBe("hello world");
    expect(await b.value("one.files[0].name")).toBe("ä b.txt");
    await put({ name: "ä b.txt", bytes: 3, sha256: sha256(Buffer.from("new")).toUpperCase() }, "new");
    await put({ name: "empty", bytes: 0 });
    expect(await names()).toEqual(["ä b.txt", "empty"]);
    await b.act("upload", { selector: "#many", files: ["ä b.txt", "empty"] });
    expect(await b.value("out.textContent")).toBe("ä b.txt:3 empty:0");
    await b.act("upload", { selector: "#many", files: [] });
    expect(await b.value("[many.files.length, out.textContent]")).toEqual([0, ""]);
    await remove("ä b.txt");
    await remove("empty");
    expect(await names()).toEqual([]);
    expect(await refused("upload_not_found", remove("empty"))).toContain('"empty"');
  });

  test("of many megabytes comes back through a page as it was", async () => {
    const block = crypto.getRandomValues(new Uint8Array(65_536));
    const parts = Array.from({ length: 512 }, () => block);
    const { sha256: hash, bytes } = await put({ name: "large.bin", bytes: 512 * 65_536 }, ...parts);
    expect([hash, bytes]).toEqual([sha256(Buffer.concat(parts)), 33_554_432]);
    await b.act("upload", { selector: "#one", files: ["large.bin"] });
    await b.act("click", { selector: "#back" });
    const { download } = await b.wait({ download: { name: "large.*" } });
    expect(download).toMatchObject({ state: "completed", sha256: hash, received_bytes: bytes });
    const { bytes: back } = await b.guest.downloads.read(
      v.parse(ReadDownload, { id: download!.id }),
      AbortSignal.timeout(20_000),
    );
    const again = createHash("sha256");
    for await (const piece of back) again.update(piece);
    expect(again.digest("hex")).toBe(hash);
    await remove("large.bin");
  });
});

describe("nothing stays of an upload", () => {
  const place = () => `/proc/${b.agent.pid}/root`;
  const parts = () => {
    const home = readdirSync("/tmp").filter((name) => name.startsWith("hype-agent-"));
    return home.flatMap((name) => {
      const folder = `${place()}/tmp/${name}/profile-uploads/parts`;
      return existsSync(folder) ? readdirSync(folder) : [];
    });
  };
  test.each<[string, object, (string | Uint8Array)[]]>([
    ["shorter than announced", { bytes: 9 }, ["short"]],
    ["longer than announced", { bytes: 2 }, ["longer", "still"]],
    ["whose bytes are others", { sha256: "0".repeat(64) }, ["bytes"]],
  ])("%s", async (_name, told, sent) => {
    await refused("upload_mismatch", put({ name: "bad", ...told }, ...sent));
    expect(await names()).toEqual([]);
    expect(parts()).toEqual([]);
  });
  test("whose sender goes away, and the one it would have replaced stays", async () => {
    await put({ name: "kept" }, "before");
    const began = Promise.withResolvers<void>();
    const gone = new AbortController();
    async function* endless() {
      yield Buffer.alloc(2_000_000);
      began.resolve();
      await new Promise(() => {});
    }
    const writing = b.guest.uploads.write(v.parse(WriteUpload, { name: "kept" }), endless(), gone.signal);
    writing.catch(() => {});
    await began.promise;
    gone.abort();
    await refused("cancelled", writing);
    while (parts().length > 0) await Bun.sleep(5); // the agent learns of it by its socket
    await b.act("upload", { selector: "#one", files: ["kept"] });
    expect(await b.value("textOf()")).toBe("before");
    await remove("kept");
  });
});

test.each([
  "",
  ".",
  "..",
  "...",
  "a/b",
  "/etc/passwd",
  "a\\b",
  "a\0b",
  "a\nb",
  "x".repeat(256),
  "ä".repeat(128),
  "\ud800",
])("%j is no name", async (name) => {
  expect(v.safeParse(UploadName, name).success).toBe(false);
});
test.each(["a", ".bashrc", "x".repeat(255), "日本語.txt", "a b;$(c)'\"", "-rf"])("%j is a name", async (name) => {
  expect(v.safeParse(UploadName, name).success).toBe(true);
  await put({ name }, "x");
  await b.act("upload", { selector: "#one", files: [name] });
  expect(await b.value("one.files[0].name")).toBe(name);
  await remove(name);
});

describe("the action refuses", () => {
  test.each<[string, object, Parameters<typeof refused>[0], string]>([
    ["an upload there is not", { files: ["nothing"] }, "upload_not_found", '"nothing"'],
    ["a file there is not", { paths: ["/nonexistent"] }, "invalid_request", "/nonexistent"],
    ["neither", {}, "invalid_request", "give files"],
    ["both", { files: [], paths: [] }, "invalid_request", "one of them"],
  ])("%s", async (_name, body, code, words) => {
    expect(await refused(code, b.act("upload", { selector: "#one", ...body }))).toContain(words);
  });
  test("several files for one place, and what is no file input", async () => {
    await put({ name: "x" }, "x");
    await put({ name: "y" }, "y");
    await refused("element_unsuitable", b.act("upload", { selector: "#one", files: ["x", "y"] }));
    await refused("element_unsuitable", b.act("upload", { selector: "#back", files: ["x"] }));
    await remove("x");
    await remove("y");
  });
});

/** A file system of 48 MB for uploads, in a mount namespace of the agent's own: 16 MB beyond what is left free. */
const smallDisk = (directory: string) => {
  const place = `${directory}/profile-uploads`;
  const mount = `mkdir -p '${place}' && mount -t tmpfs -o size=48m tmpfs '${place}' && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", mount, "agent"];
};
test.skipIf(process.getuid?.() !== 0)(
  "a disk that is full is said, before and in the middle; there is room again",
  async () => {
    await using agent = await startAgent({ wrap: smallDisk });
    const guest = new Guest(agent.endpoint, agent.token);
    await guest.ready(30_000);
    const signal = AbortSignal.timeout(20_000);
    const write = (name: string, bytes: number, isAnnounced: boolean) =>
      guest.uploads.write(
        { name, ...(isAnnounced && { bytes }) },
        (async function* () {
          for (let sent = 0; sent < bytes; sent += 1_000_000) yield Buffer.alloc(1_000_000);
        })(),
        signal,
      );
    expect(await refused("guest_disk_full", write("announced", 40_000_000, true))).toContain("40000000");
    await refused("guest_disk_full", write("not announced", 90_000_000, false));
    await write("first", 16_000_000, true);
    await refused("guest_disk_full", write("second", 1_000_000, true));
    await guest.uploads.delete(v.parse(DeleteUpload, { name: "first" }));
    await write("second", 1_000_000, true);
    await guest.navigate(v.parse(Navigate, { url: `${b.site.origin}/` }));
    expect((await guest.downloads.list(v.parse(ListDownloads, {}))).items).toEqual([]);
  },
  60_000,
);
