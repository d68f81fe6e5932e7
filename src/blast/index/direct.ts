/** What is named by place: archives are fetched here, folders and repositories by the builder. */

import { resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { fileUrlOf } from "../../kit/text/file-url.ts";
import { PepError } from "../pep/error.ts";
import { parseCoreMetadata } from "../pep/metadata.ts";
import type { CoreMetadata, DirectSource } from "../resolve/port.ts";
import { splitCredentials } from "./credentials.ts";
import type { Download, WantedFile } from "./downloads.ts";
import { readArchive } from "./metadata-store.ts";
import type { MetadataBuilder } from "./options.ts";
import { filenameOf, parseHash } from "./page-file.ts";
import { kindOf } from "./release-files.ts";

/** What a source says of itself, and what exactly it is. */
export interface DirectAnswer {
  readonly metadata: CoreMetadata;
  readonly source: DirectSource;
}

/** What it takes to look into a source. */
export interface DirectTools {
  readonly download: (file: WantedFile) => Promise<Download>;
  readonly builder: MetadataBuilder | undefined;
}

/** @throws {Fault} E_NETWORK, E_INTEGRITY, E_BUILD, E_NOT_FOUND */
export async function askDirect(source: DirectSource, tools: DirectTools): Promise<DirectAnswer> {
  if (source.kind !== "archive") return await build(source, undefined, tools);
  const file = archiveFile(source.url);
  const kind = kindOf(file.filename);
  if (kind === undefined) {
    const place = splitCredentials(file.url).url;
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot install "${place}": it is neither a wheel nor a source archive`,
    });
  }
  const hashes = { ...file.hashes, ...source.hashes };
  const { path } = await tools.download({ ...file, hashes });
  const isWhole = source.subdirectory === undefined;
  const text = isWhole ? await readArchive(path, { filename: file.filename, kind }) : undefined;
  if (text === undefined) return await build(source, path, tools);
  try {
    return { metadata: parseCoreMetadata(text), source };
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot use the metadata of "${file.filename}": ${error.message}`,
    });
  }
}

/** The file behind a URL or path; hashes stand in the fragment (`#sha256=…&subdirectory=…`). */
export function archiveFile(text: string): WantedFile {
  const hash = text.indexOf("#");
  const address = hash === -1 ? text : text.slice(0, hash);
  const fragment = hash === -1 ? "" : text.slice(hash + 1);
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(address);
  const url = isUrl ? address : fileUrlOf(resolve(address));
  const hashes = Object.assign({}, ...fragment.split("&").map(parseHash));
  return { url, filename: filenameOf(url), hashes };
}

async function build(
  source: DirectSource,
  archivePath: string | undefined,
  tools: DirectTools,
): Promise<DirectAnswer> {
  if (tools.builder === undefined) {
    const what = source.kind === "directory" ? source.path : splitCredentials(source.url).url;
    throw new Fault({
      code: "E_BUILD",
      message: `Cannot tell what "${what}" requires without building it`,
    });
  }
  return await tools.builder.buildDirect(source, archivePath);
}
