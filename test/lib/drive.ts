import type { Guest } from "../../src/guest/guest.ts";
import { ask } from "../../src/guest/http.ts";

/** What tests of other operations need of a browser, in one line each. */
export function drive(guest: Guest) {
  const post = async (operation: string, body: object): Promise<any> => {
    const path = `/v1/browser/${operation}`;
    const { bytes } = await ask(guest.endpoint, guest.token, {
      method: "POST",
      path,
      body,
      timeoutMs: 40_000,
      maxBytes: 1e8,
    });
    return JSON.parse(new TextDecoder().decode(bytes));
  };
  return {
    post,
    navigate: (url: string, more: object = {}): Promise<{ tab: string; title: string; status: number | null }> =>
      post("navigate", { url, timeout_ms: 30_000, ...more }),
    evaluate: async (expression: string, more: object = {}): Promise<unknown> =>
      (await post("evaluate", { expression, timeout_ms: 30_000, ...more })).value,
  };
}
