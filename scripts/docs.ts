/**
 * Writes docs/reference from the command specs and the catalogue of faults: `bun run docs`.
 * With `--check` it writes nothing and fails when a file is not what it would write.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { documentedTools } from "../src/applets.ts";
import { blastTomlReference } from "../src/blast/config-reference.ts";
import { blitConfigReference } from "../src/blit/config-reference.ts";
import { blitdConfigReference } from "../src/blit/daemon/config-reference.ts";
import { referencePages } from "../src/kit/cli/reference.ts";
import { Printer } from "../src/kit/out/printer.ts";
import { serviceTomlReference } from "../src/rastos/service/config-reference.ts";
import { systemTomlReference } from "../src/rastos/system/config-reference.ts";

/** What docs/reference should hold, and what it holds instead. */
export interface DocsDifference {
  /** Files that are absent or differ, with the text that they should have. */
  readonly stale: readonly { readonly path: string; readonly text: string }[];
  /** Generated files that no command stands behind any more. */
  readonly orphans: readonly string[];
}

/** Compares docs/reference below a root with what the specs say. */
export async function compareDocs(root: string): Promise<DocsDifference> {
  const folder = join(root, "docs/reference");
  const pages = [
    ...referencePages(await documentedTools()),
    { path: "blast-toml.md", text: blastTomlReference() },
    { path: "blit-config.md", text: blitConfigReference() },
    { path: "blitd-config.md", text: blitdConfigReference() },
    { path: "service-toml.md", text: serviceTomlReference() },
    { path: "system-toml.md", text: systemTomlReference() },
  ].map(({ path, text }) => ({ path: join(folder, path), text }));
  const wanted = new Set(pages.map(({ path }) => path));
  const present = listMarkdown(join(folder, "commands"));
  return {
    stale: pages.filter(({ path, text }) => readOrNothing(path) !== text),
    orphans: present.filter((path) => !wanted.has(path)),
  };
}

function listMarkdown(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const printer = new Printer();
  const { stale, orphans } = await compareDocs(join(import.meta.dir, ".."));
  if (process.argv.includes("--check")) {
    for (const path of [...stale.map((page) => page.path), ...orphans]) {
      printer.warn(`Not up to date: "${path}"`, 'run "bun run docs"');
    }
    return stale.length + orphans.length === 0 ? 0 : 1;
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    printer.note(`wrote ${path}`);
  }
  for (const path of orphans) {
    rmSync(path);
    printer.note(`removed ${path}`);
  }
  return 0;
}

if (import.meta.main) {
  process.exitCode = await main();
}
