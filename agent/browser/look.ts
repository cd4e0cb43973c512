import { type Find, type FoundList, HypeError, type LinkList, type Links, type Pdf } from "../../src/contract/index.ts";
import { CommandRefused } from "../cdp/connection.ts";
import type { PageDocument } from "./document.ts";
import { onPage } from "./page-call.ts";
import type { TabSession } from "./tabs.ts";

/** The page's links in document order. */
export function links(tab: TabSession, { limit, frame }: Links, signal: AbortSignal): Promise<LinkList> {
  return onPage(tab, signal, async () => {
    const document = await documentFor(tab, frame, signal);
    return { tab: tab.id, ...(await document.call("links", [limit], signal)) };
  });
}

/** The smallest elements that hold a text. @throws HypeError `invalid_request` for a pattern that is none */
export function find(
  tab: TabSession,
  { text, regex, flags, limit, frame }: Find,
  signal: AbortSignal,
): Promise<FoundList> {
  return onPage(tab, signal, async () => {
    const document = await documentFor(tab, frame, signal);
    const pattern = regex === undefined ? null : { source: regex, flags };
    return { tab: tab.id, ...(await document.call("find", [text ?? null, pattern, limit], signal)) };
  });
}

async function documentFor(tab: TabSession, frame: string | undefined, signal: AbortSignal): Promise<PageDocument> {
  if (frame === undefined) return tab.frames.main(signal);
  return (await tab.frames.locate({ selector: ":root", frame }, signal)).document;
}

const mm = (width: number, height: number): [number, number] => [width / 25.4, height / 25.4];
/** Width and height, inches: ANSI and ISO 216. */
const FORMATS: Record<NonNullable<Pdf["format"]>, [number, number]> = {
  letter: [8.5, 11], legal: [8.5, 14], tabloid: [11, 17], ledger: [17, 11], a0: mm(841, 1189), a1: mm(594, 841),
  a2: mm(420, 594), a3: mm(297, 420), a4: mm(210, 297), a5: mm(148, 210), a6: mm(105, 148),
}; // prettier-ignore

/** @returns the document's bytes. @throws HypeError `pdf_failed` with Chromium's reason */
export async function pdf(tab: TabSession, request: Pdf, signal: AbortSignal): Promise<Uint8Array> {
  const [width, height] = request.format ? FORMATS[request.format] : [undefined, undefined];
  const given = Object.entries({
    landscape: request.landscape,
    displayHeaderFooter: request.display_header_footer,
    printBackground: request.print_background,
    scale: request.scale,
    paperWidth: request.paper_width ?? width,
    paperHeight: request.paper_height ?? height,
    marginTop: request.margin_top,
    marginBottom: request.margin_bottom,
    marginLeft: request.margin_left,
    marginRight: request.margin_right,
    pageRanges: request.page_ranges,
    headerTemplate: request.header_template,
    footerTemplate: request.footer_template,
    preferCSSPageSize: request.prefer_css_page_size,
    generateTaggedPDF: request.tagged,
    generateDocumentOutline: request.outline,
  }).filter(([, value]) => value !== undefined);
  try {
    const { data } = await tab.send("Page.printToPDF", Object.fromEntries(given), signal);
    return Buffer.from(data, "base64");
  } catch (thrown) {
    if (thrown instanceof CommandRefused)
      throw new HypeError("pdf_failed", `Chromium printed no PDF: ${thrown.detail}`, {}, { cause: thrown });
    throw thrown;
  }
}
