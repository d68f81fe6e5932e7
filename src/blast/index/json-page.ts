/** Index pages as JSON (PEP 691, 700, 714). */
import type { Hashes } from "../resolve/port.ts";
import type { PageFile, ParsedPage } from "./page-file.ts";
import { isHash, LinkResolver } from "./page-file.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a page. Entries that make no sense are left out: one bad upload must not hide a project.
 *
 * @throws {SyntaxError} when it is no JSON, or no page
 */
export function parseJsonPage(text: string, baseUrl: string): ParsedPage {
  const page: unknown = JSON.parse(text);
  const entries = isObject(page) ? page["files"] : undefined;
  if (!isObject(page) || !Array.isArray(entries))
    throw new SyntaxError("there is no list of files");
  const meta = page["meta"];
  const version = isObject(meta) ? meta["api-version"] : undefined;
  const links = new LinkResolver(baseUrl);
  const files: PageFile[] = [];
  for (const entry of entries) {
    const file = isObject(entry) ? readEntry(entry, links) : undefined;
    if (file !== undefined) files.push(file);
  }
  return { apiVersion: typeof version === "string" ? version : undefined, files };
}

function readEntry(entry: Json, links: LinkResolver): PageFile | undefined {
  const { filename, url } = entry as { filename?: unknown; url?: unknown };
  if (typeof filename !== "string" || typeof url !== "string") return undefined;
  const link = links.resolve(url);
  if (link === undefined || filename.includes("/")) return undefined;
  const size = entry["size"];
  const requiresPython = entry["requires-python"];
  const yanked = entry["yanked"];
  const uploadTime = entry["upload-time"];
  // One shape for all, and nothing copied: there are thousands.
  return {
    filename,
    url: link.url,
    hashes: readHashes(entry["hashes"]),
    size: isSize(size) ? size : undefined,
    requiresPython: isText(requiresPython) ? requiresPython : undefined,
    yanked: typeof yanked === "string" ? yanked : yanked === true ? "" : false,
    uploadTime: isText(uploadTime) ? uploadTime : undefined,
    metadata: readMetadata(entry["core-metadata"] ?? entry["dist-info-metadata"]),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** PEP 714: `core-metadata` wins over the older spelling, also when it says false. */
function readMetadata(value: unknown): Hashes | true | undefined {
  if (value === true) return true;
  if (!isObject(value)) return undefined;
  const hashes = readHashes(value);
  return Object.keys(hashes).length === 0 ? true : hashes;
}

function readHashes(value: unknown): Hashes {
  const hashes: Record<string, string> = {};
  if (isObject(value)) {
    for (const name in value) {
      const text = value[name];
      if (isHash(name, text)) hashes[name] = text.toLowerCase();
    }
  }
  return hashes;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
