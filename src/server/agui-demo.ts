import { DEMO_DOCUMENT, DEMO_SCRIPT, DEMO_STYLE } from "../agui-page/document.ts";
import { ownPage } from "./own-page.ts";

/** The demo of AG-UI. It shows nothing until a key is typed in, which stays in the tab. */
export const demoPage = ownPage({ document: DEMO_DOCUMENT, script: DEMO_SCRIPT, style: DEMO_STYLE, images: "data:" });
