import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "../server/harness.ts";
import { connectClient, ERAS, newKey } from "./world.ts";

let server: TestServer;
const kept: string[] = [];
beforeAll(async () => {
  server = startTestServer();
  for (const name of ["demo", "other"]) {
    const vm = server.engine.add(name);
    for (const file of ["first.txt", "second.txt"])
      kept.push(
        (await server.artifacts.keep({ kind: "other", name: file, contentType: "text/plain", vm }, Buffer.from(file)))
          .id,
      );
  }
});
afterAll(async () => await server[Symbol.asyncDispose]());

const template = "hype://vms/{name}/artifacts/{id}";

describe.each(ERAS)("%s", (era) => {
  test("the list has the VMs, then the files kept last, which can be read", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    const { resources } = await mcp.client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual([
      ...["hype://vms", "hype://vms/demo", "hype://vms/other"],
      ...[3, 2].map((at) => `hype://vms/other/artifacts/${kept[at]}`),
      ...[1, 0].map((at) => `hype://vms/demo/artifacts/${kept[at]}`),
    ]);
    expect(resources[3]).toMatchObject({ name: "second.txt", mimeType: "text/plain", size: 10 });
    const { contents } = await mcp.client.readResource({ uri: resources[3]!.uri });
    expect(Buffer.from((contents[0] as { blob: string }).blob, "base64").toString()).toBe("second.txt");
  });

  test("of one VM only its own; for a key that may not look into browsers none", async () => {
    await using one = await connectClient(`${server.url}/mcp/vms/demo`, era);
    expect((await one.client.listResources()).resources.map(({ uri }) => uri)).toEqual([
      "hype://vms/demo",
      ...[1, 0].map((at) => `hype://vms/demo/artifacts/${kept[at]}`),
    ]);
    await using reader = await connectClient(`${server.url}/mcp`, era, {
      key: newKey(server, { name: `r-${era}`, scope: "read" }),
    });
    expect(JSON.stringify(await reader.client.listResources())).not.toContain("artifacts");
    const id = { ref: { type: "ref/resource" as const, uri: template }, argument: { name: "id", value: "" } };
    expect((await reader.client.complete(id)).completion.values).toEqual([]);
    await using restricted = await connectClient(`${server.url}/mcp`, era, {
      key: newKey(server, { name: `o-${era}`, restriction: { vms: ["demo"], labels: {} } }),
    });
    expect(JSON.stringify(await restricted.client.listResources())).not.toContain("hype://vms/other");
    expect((await restricted.client.complete(id)).completion.values).toEqual([kept[1]!, kept[0]!]);
  });

  test("ids complete: of the VM that is named already, else of all", async () => {
    await using mcp = await connectClient(`${server.url}/mcp`, era);
    const ids = async (value: string, name?: string) =>
      (
        await mcp.client.complete({
          ref: { type: "ref/resource", uri: template },
          argument: { name: "id", value },
          ...(name && { context: { arguments: { name } } }),
        })
      ).completion.values;
    expect(await ids("")).toEqual(kept.toReversed());
    expect(await ids("", "demo")).toEqual([kept[1]!, kept[0]!]);
    expect(await ids(kept[2]!)).toEqual([kept[2]!]);
    expect(await ids("", "nobody")).toEqual([]);
    const downloads = await mcp.client.complete({
      ref: { type: "ref/resource", uri: "hype://vms/{name}/downloads/{id}" },
      argument: { name: "id", value: "" },
      context: { arguments: { name: "demo" } },
    });
    expect(downloads.completion.values).toEqual([]); // its guest does not answer
  });
});

test.each(ERAS)("a file that is kept, and one that is deleted, change the list for clients of era %s", async (era) => {
  await using own = startTestServer();
  const vm = own.engine.add("demo");
  await using mcp = await connectClient(`${own.url}/mcp`, era);
  let changed = Promise.withResolvers<void>();
  mcp.client.setNotificationHandler("notifications/resources/list_changed", () => changed.resolve());
  if (era === "auto") await mcp.client.listen({ resourcesListChanged: true });
  else {
    const tick = setInterval(() => own.engine.emit("VM_CREATED", vm), 20); // until its stream is open
    await changed.promise;
    clearInterval(tick);
    changed = Promise.withResolvers<void>();
  }
  const uris = async () => (await mcp.client.listResources()).resources.map(({ uri }) => uri);
  const { id } = await own.artifacts.keep(
    { kind: "other", name: "a.txt", contentType: "text/plain", vm },
    Buffer.from("a"),
  );
  await changed.promise;
  expect(await uris()).toContain(`hype://vms/demo/artifacts/${id}`);
  changed = Promise.withResolvers<void>();
  own.artifacts.delete(id);
  await changed.promise;
  expect(await uris()).not.toContain(`hype://vms/demo/artifacts/${id}`);
  const { items } = (await (await own.call("/api/v1/events")).json()) as { items: { type: string; data: object }[] };
  expect(items.slice(-2)).toMatchObject([
    { type: "VM_ARTIFACT_KEPT", data: { artifact: id, kind: "other", size_bytes: 1 } },
    { type: "VM_ARTIFACT_DELETED", data: { artifact: id } },
  ]);
  expect(JSON.stringify(items)).not.toContain("a.txt"); // its name is for those who may see files
});

const ADDRESSES: [string, boolean][] = [
  ["hype://vms", true],
  ["hype://vms/demo", true],
  ["hype://vms/demo/console", false],
  ["hype://vms/demo/screenshot", false],
  ["hype://vms/nobody", false],
  ["hype://vms/demo/secrets", false],
  ["file:///etc/passwd", false],
];

test.each(ADDRESSES)("a session's subscription to %s is taken: %p", async (uri, isTaken) => {
  await using mcp = await connectClient(`${server.url}/mcp`, "legacy");
  const said = await mcp.client.subscribeResource({ uri }).then(
    () => "taken",
    (thrown: Error) => thrown.message,
  );
  if (isTaken) expect(said).toBe("taken");
  else expect(said).toMatch(/nothing tells when|not found/i);
});

test("in the 2026 era the acknowledgement names what is told of, and nothing else", async () => {
  await using mcp = await connectClient(`${server.url}/mcp`, "auto");
  const listening = await mcp.client.listen({ resourceSubscriptions: ADDRESSES.map(([uri]) => uri) });
  expect(listening.honoredFilter.resourceSubscriptions).toEqual(ADDRESSES.filter(([, is]) => is).map(([uri]) => uri));
  await listening.close();
});
