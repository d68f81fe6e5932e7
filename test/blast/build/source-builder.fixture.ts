import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  SourceBuilder,
  type SourceBuilderOptions,
} from "../../../src/blast/build/source-builder.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import { Prober } from "../../../src/blast/python/probe.ts";
import type { IndexFile } from "../../../src/blast/resolve/port.ts";
import type { WantedPackage } from "../../../src/blast/sync/wanted.ts";
import { basePython } from "../../support/blast-world.ts";
import { buildTree, callsIn, sdistOf, type TreeSpec } from "../../support/build-tree.ts";
import type { Workspace } from "../../support/workspace.ts";

/** A builder whose build environments are always empty. */
export interface BuilderScene {
  readonly builder: SourceBuilder;
  /** What build environments were asked to hold, one text for each time. */
  readonly asked: string[];
  readonly lines: string[];
  readonly built: string[];
  /** The hooks that were called since this was asked last. */
  calls(): string[];
}

export async function builderScene(
  work: Workspace,
  changes: Partial<SourceBuilderOptions> = {},
): Promise<BuilderScene> {
  const interpreter = await new Prober({}, work.at("probes")).require(basePython());
  const [asked, lines, built]: [string[], string[], string[]] = [[], [], []];
  const calls = work.at("calls");
  let seen = callsIn(calls).length;
  const builder = new SourceBuilder({
    interpreter,
    cacheFolder: work.at("cache"),
    variables: { PATH: process.env["PATH"], HOME: work.path, TEST_CALLS: calls },
    settings: {},
    isIsolated: true,
    offline: false,
    noCache: false,
    tools: {
      choose: async (requirements) => {
        asked.push(requirements.map(({ text }) => text).join(", "));
        return { wanted: [], install: async () => undefined };
      },
    },
    onLine: (label, line) => lines.push(`${label}: ${line}`),
    onBuild: (label) => built.push(label),
    ...changes,
  });
  return {
    builder,
    asked,
    lines,
    built,
    calls() {
      const all = callsIn(calls);
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh;
    },
  };
}

/** An sdist in the workspace, as an index would offer it. */
export function sdistIn(work: Workspace, spec: TreeSpec = {}): { file: IndexFile; path: string } {
  const { filename, bytes } = sdistOf(spec);
  const path = work.write(`archives/${filename}`, bytes);
  const file: IndexFile = {
    kind: "sdist",
    filename,
    url: Bun.pathToFileURL(path).href,
    hashes: { sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") },
    yanked: false,
    index: "https://index.test/simple/",
  };
  return { file, path };
}

/** A source tree in the workspace. */
export function treeIn(work: Workspace, folder: string, spec: TreeSpec = {}): string {
  const root = work.at(folder);
  for (const [path, content] of Object.entries(buildTree(spec))) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    writeFileSync(`${root}/${path}`, content);
  }
  return root;
}

/** What an environment is to hold. */
export function wanted(
  parts: Partial<WantedPackage> & { readonly named?: string; readonly at?: string },
): WantedPackage {
  const { named = "demo", at = "1.0", ...rest } = parts;
  const version = parseVersion(at);
  return { name: parsePackageName(named), version, requested: true, ...rest };
}
