import { describe, expect, test } from "bun:test";
import type { Client } from "../../src/client/types.ts";
import { fakeClient, hype } from "./harness.ts";

/** A client that writes down what it was asked, and answers as given. */
function asking(answer: (operation: string) => unknown) {
  const asked: unknown[] = [];
  const operate = async (...call: unknown[]) => {
    asked.push(call.slice(0, 3));
    return answer(call[1] as string);
  };
  const operateForBytes = async (...call: unknown[]) => {
    asked.push(call.slice(0, 3));
    return new TextEncoder().encode("%PDF-1.7");
  };
  const screenshot = async (...call: unknown[]) => {
    asked.push(call.slice(0, 2));
    return new Uint8Array(1);
  };
  return {
    asked,
    client: fakeClient({ browser: { operate, operateForBytes, screenshot } as unknown as Client["browser"] }),
  };
}

describe("emulate, pdf and screenshot send what was typed", () => {
  test.each<{ argv: string[]; call: unknown[]; stdin?: string }>([
    {
      argv: [
        "emulate",
        "demo",
        "--reduced-motion",
        "--network",
        "200,1600,750",
        "--header",
        "X-A: b: c",
        "--permission",
        "midi=denied",
      ],
      call: [
        "demo",
        "emulate",
        {
          reduced_motion: "reduce",
          network: { latency_ms: 200, download_kbps: 1600, upload_kbps: 750 },
          extra_headers: { "X-A": "b: c" },
          permissions: [{ name: "midi", setting: "denied" }],
        },
      ],
    },
    {
      argv: ["emulate", "demo", "--http-credentials", "ada"],
      call: ["demo", "emulate", { http_credentials: { username: "ada", password: "secret" } }],
      stdin: "secret\n",
    },
    {
      argv: [
        "pdf",
        "demo",
        "-o",
        "-",
        "--format",
        "a4",
        "--pages",
        "1-2",
        "--margin",
        "1,2,3,4",
        "--scale",
        "0.5",
        "--footer",
        "<b></b>",
      ],
      call: [
        "demo",
        "pdf",
        {
          landscape: false,
          print_background: false,
          format: "a4",
          page_ranges: "1-2",
          margin_top: 1,
          margin_right: 2,
          margin_bottom: 3,
          margin_left: 4,
          scale: 0.5,
          display_header_footer: true,
          header_template: "<span></span>",
          footer_template: "<b></b>",
        },
      ],
    },
    {
      argv: [
        "pdf",
        "demo",
        "-o",
        "-",
        "--paper",
        "8.5x11",
        "--margin",
        "1",
        "--css-page-size",
        "--untagged",
        "--outline",
      ],
      call: [
        "demo",
        "pdf",
        {
          landscape: false,
          print_background: false,
          paper_width: 8.5,
          paper_height: 11,
          margin_top: 1,
          margin_right: 1,
          margin_bottom: 1,
          margin_left: 1,
          prefer_css_page_size: true,
          tagged: false,
          outline: true,
        },
      ],
    },
    {
      argv: ["screenshot", "demo", "-o", "-", "--element", "e7", "--scale", "2"],
      call: ["demo", { format: "png", full_page: false, ref: "e7", scale: 2 }],
    },
    {
      argv: ["screenshot", "demo", "-o", "-", "--clip", "0,10,200,100.5"],
      call: ["demo", { format: "png", full_page: false, clip: { x: 0, y: 10, width: 200, height: 100.5 } }],
    },
  ])("$argv", async ({ argv, call, stdin }) => {
    const { asked, client } = asking(() => ({ all: {}, tab: null, effective: {} }));
    expect(await hype(argv, { client, ...(stdin === undefined ? {} : { stdin }) })).toMatchObject({ code: 0 });
    expect(asked).toEqual([call]);
  });
});

describe("state, cookies, dialogs", () => {
  test("state clear", async () => {
    const { asked, client } = asking(() => ({ origins: [] }));
    await hype(["state", "clear", "demo"], { client });
    const argv = ["state", "clear", "demo", "--part", "cookies", "--origin", "https://a.example", "--tab", "T"];
    expect((await hype(argv, { client })).stdout).toBe("cleared cookies\n");
    expect(asked).toEqual([
      ["demo", "clear-state", {}],
      ["demo", "clear-state", { parts: ["cookies"], origins: ["https://a.example"], tab: "T" }],
    ]);
  });
  test("cookies are listed, their values only when asked for", async () => {
    const items = [{ name: "sid\u001b[2J", value: "secret", domain: "a.example", path: "/" }];
    const { asked, client } = asking(() => ({ items }));
    const listed = await hype(["cookies", "demo", "--url", "https://a.example/"], { client });
    expect(listed.stdout).toContain("a.example");
    expect(listed.stdout).not.toContain("secret");
    expect(listed.stdout).not.toContain("\u001b[2J");
    expect((await hype(["cookies", "demo", "--values"], { client })).stdout).toContain("secret");
    expect(asked[0]).toEqual(["demo", "get-cookies", { urls: ["https://a.example/"] }]);
  });
  test("a policy is set, and taken back", async () => {
    const { asked, client } = asking(() => ({}));
    await hype(["dialog", "policy", "demo", "accept", "--prompt", "Ada", "--tab", "T"], { client });
    await hype(["dialog", "policy", "demo", "none"], { client });
    expect(asked).toEqual([
      ["demo", "set-dialog-policy", { policy: "accept", prompt_text: "Ada", tab: "T" }],
      ["demo", "set-dialog-policy", { policy: null }],
    ]);
  });
  const entry = (seq: number, id: string, state: string) => ({ seq, id, kind: "dialog", state });
  const answering = (entries: { seq: number }[]) => {
    let isTold = false;
    return asking((operation) => {
      if (operation !== "list-entries" || isTold) return { items: [] };
      isTold = true;
      return { items: entries };
    });
  };
  test("the dialog that is open is answered", async () => {
    const { asked, client } = answering([entry(1, "d1", "open"), entry(2, "d1", "dismissed"), entry(3, "d2", "open")]);
    const { stdout } = await hype(["dialog", "answer", "demo", "accept", "--prompt", "Ada"], { client });
    expect(stdout).toBe("dialog d2 accepted\n");
    expect(asked.at(-1)).toEqual(["demo", "answer-dialog", { id: "d2", accept: true, prompt_text: "Ada" }]);
  });
  test("where several are open, or none, that is said and none is answered", async () => {
    const several = answering([entry(1, "d1", "open"), entry(2, "d2", "open")]);
    expect((await hype(["dialog", "answer", "demo", "dismiss"], { client: several.client })).stderr).toContain(
      "d1, d2",
    );
    const none = answering([]);
    expect((await hype(["dialog", "answer", "demo", "dismiss"], { client: none.client })).stderr).toContain(
      "dialog_not_found",
    );
    for (const { asked } of [several, none]) expect(JSON.stringify(asked)).not.toContain("answer-dialog");
  });
  test("wait --dialog says what it asks", async () => {
    const dialog = { type: "confirm", message: "sure?" };
    const { client } = asking(() => ({ tab: "T", url: "u", title: "t", dialog }));
    expect((await hype(["wait", "demo", "--dialog"], { client })).stdout).toBe("confirm: sure?\n");
  });
});
