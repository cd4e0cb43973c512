import { LIVE_DOCUMENT, LIVE_SCRIPT, LIVE_STYLE } from "../../live-page/document.ts";
import { ownPage } from "../own-page.ts";

/** The live view. It shows nothing until a link's token, which never reaches the server's log, opens its socket. */
export const livePage = ownPage({
  document: LIVE_DOCUMENT,
  script: LIVE_SCRIPT,
  style: LIVE_STYLE,
  images: "blob: data:",
  headers: {
    "permissions-policy": "clipboard-read=(self), clipboard-write=(self), camera=(), microphone=(), geolocation=()",
  },
});
