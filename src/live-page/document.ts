import { bundleScript } from "../web-page/bundle.ts" with { type: "macro" };
import body from "./page.html" with { type: "text" };
import style from "./style.css" with { type: "text" };

/** The parts of the live view's page: one document without a second request. Nothing in it depends on a VM or on who asks. */
export const LIVE_STYLE: string = style;
/** The page's security policy names style and script by their digests: no blank stands around them. An end tag in a string of the script would end the script. */
export const LIVE_SCRIPT: string = bundleScript("live-page/main.ts").replace(/<\/(script)/gi, "<\\/$1");
export const LIVE_DOCUMENT: string = (body as unknown as string)
  .replace(/\s*\/\*style\*\/\s*/, () => LIVE_STYLE)
  .replace(/\s*\/\*script\*\/\s*/, () => LIVE_SCRIPT);
