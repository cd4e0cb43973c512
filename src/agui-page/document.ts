import { bundleScript } from "../web-page/bundle.ts" with { type: "macro" };
import body from "./page.html" with { type: "text" };
import style from "./style.css" with { type: "text" };

/** The parts of the demo page of AG-UI: one document without a second request, the same for everybody. */
export const DEMO_STYLE: string = style;
/** The page's security policy names style and script by their digests: no blank stands around them. An end tag in a string of the script would end the script. */
export const DEMO_SCRIPT: string = bundleScript("agui-page/main.ts").replace(/<\/(script)/gi, "<\\/$1");
export const DEMO_DOCUMENT: string = (body as unknown as string)
  .replace(/\s*\/\*style\*\/\s*/, () => DEMO_STYLE)
  .replace(/\s*\/\*script\*\/\s*/, () => DEMO_SCRIPT);
