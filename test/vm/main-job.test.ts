import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/client/client.ts";
import type { Vm, VmEvent } from "../../src/contract/index.ts";
import { Guest } from "../../src/guest/guest.ts";
import { SealedHome, type Served } from "../lib/hype.ts";

/** The main job on the real thing: the built program, the real image, a real microVM, a real Chromium. One VM serves all tests here. */
describe("one command to a browser in its own microVM", () => {
  let home: SealedHome;
  let server: Served;
  const page = `data:text/html,${encodeURIComponent('<title>Fixture</title><h1 style="color:red">Hello from the guest</h1><script>globalThis.ready=1</script>')}`;
  const vm = async (name = "demo"): Promise<Vm> => JSON.parse(await home.ok(["vms", "get", name, "--json"]));

  beforeAll(async () => {
    home = new SealedHome();
    server = await home.serve();
    await home.ok(["vms", "create", "demo", "--cpu", "2", "--memory", "1024", "--label", "team=test"]);
  }, 180_000);
  afterAll(() => home[Symbol.asyncDispose](), 60_000);

  test("the VM is running and says what it is", async () => {
    expect(await vm()).toMatchObject({
      status: "running",
      cpu_cores: 2,
      memory_mb: 1024,
      generation: 1,
      ip_address: "192.168.127.2",
      hypervisor: "qemu",
      labels: { team: "test" },
      status_reason: null,
    });
  });

  test("open, eval, content and screenshot work on the page", async () => {
    await home.ok(["open", "demo", page]);
    expect((await home.ok(["eval", "demo", "document.title + ready"])).trim()).toContain("Fixture1");
    expect(await home.ok(["content", "demo", "--format", "text"])).toContain("Hello from the guest");
    await home.ok(["screenshot", "demo", "-o", "page.png"]);
    const png = readFileSync(join(home.path, "page.png"));
    expect(png.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    expect(png.readUInt32BE(16)).toBeGreaterThan(300);
  });

  test("a page is looked at, acted on and kept: snapshot, fill, click, wait, pdf, state, download", async () => {
    const form =
      "<title>Form</title><label>Name <input></label><a id=d download='a.txt' href='data:text/plain,kept'>get</a>" +
      "<button onclick=\"document.title='Hello '+document.querySelector('input').value\">Greet</button>";
    await home.ok(["open", "demo", `data:text/html,${encodeURIComponent(form)}`]);
    const tree = await home.ok(["snapshot", "demo"]);
    const refOf = (words: string) => new RegExp(`${words}.*\\[ref=(\\w+)\\]`).exec(tree)?.[1] ?? "";
    await home.ok(["fill", "demo", refOf('textbox "Name"'), "Ada"]);
    await home.ok(["click", "demo", refOf('button "Greet"')]);
    expect(await home.ok(["wait", "demo", "--function", "document.title === 'Hello Ada'"])).toContain("Hello Ada");
    await home.ok(["pdf", "demo", "-o", "page.pdf"]);
    expect(readFileSync(join(home.path, "page.pdf"), "latin1")).toStartWith("%PDF-");
    await home.ok(["state", "export", "demo", "-o", "state.json"]);
    expect(JSON.parse(readFileSync(join(home.path, "state.json"), "utf8"))).toMatchObject({ origins: [] });

    const client = connect({
      base: server.url,
      key: readFileSync(join(home.path, "state", "admin.key"), "utf8").trim(),
    });
    await client.browser.operate("demo", "click", { selector: "#d" });
    let id: string | undefined;
    while (id === undefined) id = (await client.browser.operate("demo", "list-downloads", {})).items[0]?.id;
    expect(await client.browser.operate("demo", "get-download", { id, wait: true })).toMatchObject({
      name: "a.txt",
      state: "completed",
      received_bytes: 4,
    });
  }, 60_000);

  test("a shell in the guest is root's, on pipes; its exit code passes", async () => {
    expect(await home.ok(["vms", "shell", "demo", "--", "id"])).toStartWith("uid=0");
    const ran = await home.run(["vms", "shell", "demo", "--", "sh", "-c", "uname; exit 7"]);
    expect(ran).toEqual({ code: 7, stdout: "Linux\n", stderr: "" });
  });

  test("the guest reaches neither the host's loopback nor the server", async () => {
    const port = new URL(server.url).port;
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200); // it is there
    for (const host of ["127.0.0.1", "10.127.0.1"]) {
      const answer = `fetch("http://${host}:${port}/healthz", { mode: "no-cors", signal: AbortSignal.timeout(4000) }).then(() => "reached", () => "closed")`;
      expect((await home.ok(["eval", "demo", answer])).trim()).toContain("closed");
    }
  });

  test("Chromium's sandbox is on", async () => {
    const { Database } = await import("bun:sqlite");
    using database = new Database(join(home.path, "state", "state.db"), { readonly: true });
    const { endpoint, token } = database.query("select endpoint, token from vms where name = 'demo'").get() as {
      endpoint: string;
      token: string;
    };
    expect((await new Guest(endpoint, token).health()).chromium).toMatchObject({ ready: true, sandboxed: true });
  });

  test("an error in the page is an error of the command", async () => {
    const thrown = await home.run(["eval", "demo", "throw new Error('as asked')"]);
    expect(thrown.code).toBe(1);
    expect(thrown.stderr).toContain("as asked");
    expect(thrown.stdout).toBe("");
  });

  test("pause stops the guest, resume goes on where it was", async () => {
    await home.ok(["eval", "demo", "globalThis.kept = 42"]);
    await home.ok(["vms", "pause", "demo"]);
    expect((await vm()).status).toBe("paused");
    const refused = await home.run(["eval", "demo", "1"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("vm_not_running");
    await home.ok(["vms", "resume", "demo"]);
    expect((await home.ok(["eval", "demo", "kept"])).trim()).toBe("42");
  });

  test("logs show the console, the agent and the VMM", async () => {
    expect(await home.ok(["vms", "logs", "demo"])).toContain("hype-agent: listening");
    expect((await home.ok(["vms", "logs", "demo", "--source", "agent"])).length).toBeGreaterThan(10);
    await home.ok(["vms", "logs", "demo", "--source", "vmm"]);
  });

  test("stop and start make a new guest of the same VM", async () => {
    const before = await vm();
    await home.ok(["vms", "stop", "demo"]);
    expect(await vm()).toMatchObject({ status: "stopped", pid: null, endpoint: null });
    expect(existsSync(`/proc/${before.pid}`)).toBe(false);
    await home.ok(["vms", "start", "demo"]);
    expect(await vm()).toMatchObject({
      status: "running",
      generation: 2,
      ip_address: before.ip_address,
      id: before.id,
    });
    expect((await home.ok(["eval", "demo", "typeof kept"])).trim()).toContain("undefined");
  }, 180_000);

  test("the guest's token is not on a command line, and no secret is in log or events", async () => {
    const { pid } = await vm();
    const { Database } = await import("bun:sqlite");
    using database = new Database(join(home.path, "state", "state.db"), { readonly: true });
    const { token } = database.query("select token from vms where name = 'demo'").get() as { token: string };
    expect(token.length).toBeGreaterThanOrEqual(64);
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(token);
    expect(
      await home.ok(["eval", "demo", "fetch('file:///proc/cmdline').then((r) => r.text(), String)"]),
    ).not.toContain(token);
    const everything =
      (await server.log()) +
      (await home.ok(["vms", "logs", "demo"])) +
      JSON.stringify(database.query("select * from events").all());
    for (const secret of [token, server.key]) expect(everything).not.toContain(secret);
  });

  test("delete leaves nothing", async () => {
    const { pid, id } = await vm();
    await home.ok(["vms", "delete", "demo"]);
    expect((await home.run(["vms", "get", "demo"])).stderr).toContain("vm_not_found");
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    for (const room of ["run", "logs"])
      expect(readdirSync(join(home.path, "state", room)).filter((name) => name === id.slice(-12))).toEqual([]);
    const events = (await (
      await fetch(`${server.url}/api/v1/events?limit=200`, { headers: { authorization: `Bearer ${server.key}` } })
    ).json()) as { items: VmEvent[] };
    const types = events.items.map(({ type }) => type).filter((type) => type !== "VM_BOOT_PROGRESS");
    expect(types).toEqual(
      expect.arrayContaining([
        "VM_CREATED",
        "VM_STARTING",
        "VM_RUNNING",
        "VM_PAUSED",
        "VM_RESUMED",
        "VM_STOPPED",
        "VM_DELETED",
      ]),
    );
    expect(events.items.map(({ seq }) => seq)).toEqual(events.items.map(({ seq }) => seq).toSorted((a, b) => a - b));
  });
});
