/**
 * Index pages as HTML (PEP 503, 592, 658, 714), and any other page with links to files. A scanner
 * of its own: it looks for three kinds of element only, takes whatever stands between them as it
 * is, and never goes back, so that the 5 MB of a large project cost some milliseconds.
 */
import type { Hashes } from "../resolve/port.ts";
import type { PageFile, ParsedPage } from "./page-file.ts";
import { filenameOf, isDistribution, LinkResolver, parseHash } from "./page-file.ts";

/** Reads a page; never throws, whatever the text is. */
export function parseHtmlPage(text: string, baseUrl: string): ParsedPage {
  const files: PageFile[] = [];
  let links = new LinkResolver(baseUrl);
  let hasBase = false;
  let apiVersion: string | undefined;
  let position = text.indexOf("<");
  while (position !== -1) {
    const kind = kindAt(text, position);
    if (kind === undefined) {
      position = text.indexOf("<", position + 1);
      continue;
    }
    if (kind === "comment" || kind === "script" || kind === "style") {
      position = text.indexOf("<", endOfHidden(text, position, kind));
      continue;
    }
    const tag = readTag(text, position + 1 + kind.length);
    if (kind === "a") {
      const file = readAnchor(tag, text, links);
      if (file !== undefined) files.push(file);
    } else if (kind === "base" && !hasBase) {
      const { href } = tag;
      hasBase = href !== undefined;
      links = href === undefined ? links : links.rebased(href.trim());
    } else if (tag.name?.toLowerCase() === "pypi:repository-version") {
      apiVersion = tag.content?.trim();
    }
    position = text.indexOf("<", tag.end);
  }
  return { apiVersion, files };
}

type Kind = "a" | "base" | "meta" | "script" | "style" | "comment";

function kindAt(text: string, position: number): Kind | undefined {
  // Folded to a small letter; 0x21 is "!".
  const first = text.charCodeAt(position + 1) | 0x20;
  if (first === 0x61) return isNameEnd(text.charCodeAt(position + 2)) ? "a" : undefined;
  if (first === 0x21) return text.startsWith("<!--", position) ? "comment" : undefined;
  if (first === 0x62) return isNamed(text, position + 1, "base") ? "base" : undefined;
  if (first === 0x6d) return isNamed(text, position + 1, "meta") ? "meta" : undefined;
  if (first !== 0x73) return undefined;
  if (isNamed(text, position + 1, "script")) return "script";
  return isNamed(text, position + 1, "style") ? "style" : undefined;
}

function isNamed(text: string, start: number, name: string): boolean {
  const end = start + name.length;
  return text.slice(start, end).toLowerCase() === name && isNameEnd(text.charCodeAt(end));
}

/** White space, "/" or ">"; the end of the text gives NaN, which is none of them. */
function isNameEnd(code: number): boolean {
  return isSpace(code) || code === 0x2f || code === 0x3e;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** Where text that is no markup ends; the end of the page if it never does. */
function endOfHidden(text: string, position: number, kind: "comment" | "script" | "style"): number {
  if (kind === "comment") {
    const end = text.indexOf("-->", position + 2);
    return end === -1 ? text.length : end + 3;
  }
  // The name in any case, so a search for "</" and a look at what follows.
  let end = text.indexOf("</", position);
  while (end !== -1 && !isNamed(text, end + 2, kind)) end = text.indexOf("</", end + 2);
  return end === -1 ? text.length : end + 2;
}

/** The attributes that matter, their entities decoded, and where the tag ends. */
interface Tag {
  href?: string;
  name?: string;
  content?: string;
  requiresPython?: string;
  yanked?: string;
  metadata?: string;
  /** In the older spelling. */
  oldMetadata?: string;
  /** Offset after ">". */
  end: number;
}

type Attribute = Exclude<keyof Tag, "end">;

const ATTRIBUTES = new Map<string, Attribute>([
  ["href", "href"],
  ["name", "name"],
  ["content", "content"],
  ["data-requires-python", "requiresPython"],
  ["data-yanked", "yanked"],
  ["data-core-metadata", "metadata"],
  ["data-dist-info-metadata", "oldMetadata"],
]);

function readTag(text: string, start: number): Tag {
  const tag: Tag = { end: text.length };
  const length = text.length;
  let position = start;
  while (position < length) {
    let code = text.charCodeAt(position);
    if (code === 0x3e) {
      tag.end = position + 1;
      break;
    }
    if (isSpace(code) || code === 0x2f) {
      position += 1;
      continue;
    }
    const nameStart = position;
    // A "=" in first place belongs to the name, as the HTML standard has it.
    position += 1;
    while (position < length) {
      code = text.charCodeAt(position);
      if (code === 0x3d || isNameEnd(code)) break;
      position += 1;
    }
    const name = text.slice(nameStart, position);
    while (isSpace(text.charCodeAt(position))) position += 1;
    let value = "";
    if (text.charCodeAt(position) === 0x3d) {
      position += 1;
      while (isSpace(text.charCodeAt(position))) position += 1;
      const end = endOfValue(text, position);
      value = text.slice(end.start, end.end);
      position = end.next;
    }
    const attribute = ATTRIBUTES.get(name) ?? ATTRIBUTES.get(name.toLowerCase());
    // The first of a name counts.
    if (attribute !== undefined) tag[attribute] ??= decodeEntities(value);
  }
  return tag;
}

function endOfValue(text: string, start: number): { start: number; end: number; next: number } {
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    const found = text.indexOf(quote, start + 1);
    const end = found === -1 ? text.length : found;
    return { start: start + 1, end, next: Math.min(end + 1, text.length) };
  }
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === 0x3e || isSpace(code)) break;
    end += 1;
  }
  return { start, end, next: end };
}

function readAnchor(tag: Tag, text: string, links: LinkResolver): PageFile | undefined {
  const link = tag.href === undefined ? undefined : links.resolve(tag.href.trim());
  if (link === undefined) return undefined;
  const filename = nameOf(link.url, text, tag.end);
  if (filename === undefined) return undefined;
  // One shape for all, and nothing copied: there are thousands.
  return {
    filename,
    url: link.url,
    hashes: parseHash(link.fragment),
    size: undefined,
    requiresPython: tag.requiresPython?.trim() || undefined,
    yanked: tag.yanked ?? false,
    uploadTime: undefined,
    metadata: readMetadata(tag.metadata ?? tag.oldMetadata),
  };
}

/** The name in the address; where that is none of a file (a download script), the text shown. */
function nameOf(url: string, text: string, textStart: number): string | undefined {
  const name = filenameOf(url);
  if (isDistribution(name)) return name;
  const end = text.indexOf("<", textStart);
  const shown = decodeEntities(text.slice(textStart, end === -1 ? text.length : end)).trim();
  return isDistribution(shown) && !shown.includes("/") ? shown : undefined;
}

/** `true`, or a hash; `false` is not in the PEP, but says what it says. */
function readMetadata(value: string | undefined): Hashes | true | undefined {
  if (value === undefined || value.toLowerCase() === "false") return undefined;
  if (value === "true") return true;
  const hashes = parseHash(value);
  return Object.keys(hashes).length === 0 ? true : hashes;
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));?/g, decodeOne);
}

function decodeOne(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED[name] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}
