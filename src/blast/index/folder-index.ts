/** An index in the file system: a folder per project, with a page or simply the files. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { fileUrlOf } from "../../kit/text/file-url.ts";

import type { PackageName } from "../pep/name.ts";
import type { Project } from "../resolve/port.ts";
import { decodePage, encodePage, pageInMemory } from "./digest.ts";
import { filesIn } from "./find-links.ts";
import type { PageFile } from "./page-file.ts";
import { readPage } from "./page-reader.ts";
import type { PageContext } from "./page-store.ts";
import { groupByVersion } from "./release-files.ts";

/** @see PEP 503, which a plain folder can fulfil */
export class FolderIndex {
  readonly #context: PageContext;
  readonly index: string;

  /** @param index a `file:` URL with a slash at its end */
  constructor(index: string, context: PageContext) {
    this.index = index;
    this.#context = context;
  }

  /** Read anew each time: it is here already. */
  project(name: PackageName): Project | undefined {
    const folder = Bun.fileURLToPath(`${this.index}${name}/`);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
    const wanted = { index: this.index, name };
    const releases = groupByVersion(name, this.#files(folder));
    return decodePage(pageInMemory(encodePage(wanted, releases)), wanted)?.project;
  }

  #files(folder: string): readonly PageFile[] {
    const page = join(folder, "index.html");
    const bytes = this.#context.cache.read(page)?.bytes;
    if (bytes === undefined) return filesIn(folder);
    const url = fileUrlOf(page);
    return readPage({ url, contentType: "text/html", bytes }, this.#context.warn).files;
  }
}
