import { expect, test } from "bun:test";
import * as v from "valibot";
import { connect } from "../../src/client/client.ts";
import { DeleteUpload, Evaluate, Navigate } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { startAgent } from "../lib/agent.ts";
import { watchMemory } from "../lib/memory.ts";

const GATEWAY = new URL("../../bench/gateway-server.ts", import.meta.url).pathname;
const BYTES = 1024 ** 3;
const BLOCK_BYTES = 1024 ** 2;
/** Far below the file, far above what the garbage collector takes for a breath. */
const MOST_MB = 200;

/** Blocks that all differ, none of them twice in memory. @param onBlock is told of each */
async function* blocks(onBlock: (block: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0; at < BYTES; at += BLOCK_BYTES) {
    const block = Buffer.alloc(BLOCK_BYTES, noise);
    block.writeUInt32LE(at / BLOCK_BYTES);
    onBlock(block);
    yield block;
  }
}
const body = (of: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async pull(controller) {
      const { done, value } = await of.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });

test("1 GiB into the guest and out of it through the server: every byte arrives, and nobody holds it in memory", async () => {
  const sent = new Bun.CryptoHasher("sha256");
  using site = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: ({ url }) =>
      url.endsWith("/file")
        ? new Response(body(blocks((block) => void sent.update(block))), {
            headers: { "content-disposition": "attachment; filename=big.bin" },
          })
        : new Response("<title>Site</title>", { headers: { "content-type": "text/html" } }),
  });
  await using agent = await startAgent();
  const guest = new Guest(agent.endpoint, agent.token);
  await guest.ready(60_000);
  const server = Bun.spawn([process.execPath, GATEWAY, agent.endpoint, agent.token], { stdout: "pipe" });
  try {
    const first = await server.stdout.getReader().read();
    const { url, key } = JSON.parse(new TextDecoder().decode(first.value)) as { url: string; key: string };
    const { browser } = connect({ base: url, key });
    await browser.tabs("bench");
    const grown = [watchMemory(server.pid), watchMemory(agent.pid)];

    const up = new Bun.CryptoHasher("sha256");
    const upload = await browser.upload("bench", "big.bin", body(blocks((block) => void up.update(block))));
    expect(upload).toMatchObject({ bytes: BYTES, sha256: up.digest("hex") });
    await guest.uploads.delete(v.parse(DeleteUpload, { name: "big.bin" })); // one of them on the disk at a time

    await guest.navigate(v.parse(Navigate, { url: `http://127.0.0.1:${site.port}/` }));
    await guest.evaluate(v.parse(Evaluate, { expression: "location.href = '/file'" }));
    const completed = guest.downloads.completed(AbortSignal.timeout(240_000));
    const id = (await completed[Symbol.asyncIterator]().next()).value!.id;
    const down = new Bun.CryptoHasher("sha256");
    let arrived = 0;
    for await (const piece of (await browser.download("bench", id)).bytes) {
      down.update(piece);
      arrived += piece.length;
    }
    expect([arrived, down.digest("hex")]).toEqual([BYTES, sent.digest("hex")]);

    for (const growth of grown) expect(growth()).toBeLessThan(MOST_MB);
  } finally {
    server.kill();
    await server.exited;
  }
}, 300_000);
