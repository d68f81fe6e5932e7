/** From the answer of an index to what a page says. */
import { Fault } from "../../kit/fault/fault.ts";
import { parseHtmlPage } from "./html-page.ts";
import { parseJsonPage } from "./json-page.ts";
import type { ParsedPage } from "./page-file.ts";

/** What is asked for: JSON best, HTML of the same version next, any HTML last (PEP 691). */
export const PAGE_ACCEPT =
  "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, " +
  "text/html;q=0.01";

/** The newest minor version of the API that is known (PEP 792). */
const MINOR_MAX = 4;

/** An answer that has arrived. */
export interface PageAnswer {
  readonly url: string;
  readonly contentType: string | null;
  readonly bytes: Uint8Array;
}

/**
 * Reads a page of either form.
 *
 * @param warn told of a minor version that is newer than this program
 * @throws {Fault} E_NETWORK for what is no page, or of a newer major version
 */
export function readPage(answer: PageAnswer, warn: (text: string) => void): ParsedPage {
  const form = formOf(answer.contentType);
  const host = URL.parse(answer.url)?.host || answer.url;
  if (form === undefined) {
    throw pageFault(`its content type is "${answer.contentType ?? "unknown"}"`, answer.url);
  }
  const text = new TextDecoder().decode(answer.bytes);
  let page: ParsedPage;
  try {
    page = form === "json" ? parseJsonPage(text, answer.url) : parseHtmlPage(text, answer.url);
  } catch (error) {
    throw pageFault("it is no valid JSON of an index", answer.url, error);
  }
  checkVersion(page.apiVersion, answer.url, () => {
    warn(`${host} speaks version ${page.apiVersion} of the index API, which is newer than known`);
  });
  return page;
}

function formOf(contentType: string | null): "json" | "html" | undefined {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || /^application\/vnd\.pypi\.simple\.\w+\+json$/.test(type)) {
    return "json";
  }
  const isHtml = type === "" || type === "text/html" || type === "application/xhtml+xml";
  return isHtml || /^application\/vnd\.pypi\.simple\.\w+\+html$/.test(type) ? "html" : undefined;
}

function checkVersion(version: string | undefined, url: string, onNewer: () => void): void {
  const match = /^(\d{1,6})\.(\d{1,6})$/.exec(version ?? "1.0");
  // PEP 629 and 691: another major version means something else by the same words.
  if (match === null || Number(match[1]) !== 1) {
    throw pageFault(`it has version "${version}" of the index API, not 1`, url);
  }
  if (Number(match[2]) > MINOR_MAX) onNewer();
}

function pageFault(reason: string, url: string, cause?: unknown): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot read "${url}" as a page of an index: ${reason}`,
    hint: "check the address of the index: it often ends in /simple/",
    cause,
    details: { kind: "page" },
  });
}
