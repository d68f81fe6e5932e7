/** REQUESTED (PEP 376) on packages that stay as they are otherwise, as a part of a transaction. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { copyAt, makeFoldersAt, writeNewFileAt } from "../../kit/fs/at.ts";
import type { PackageName } from "../pep/name.ts";
import type { Environment } from "./environment.ts";
import { insideRoot } from "./environment.ts";
import { must } from "./faults.ts";
import type { InstalledDistribution } from "./installed.ts";
import type { Journal } from "./journal.ts";
import { formatRecordEntry } from "./record.ts";

/** A package that somebody asks for from now on, or nobody any more. */
export interface Mark {
  readonly distribution: InstalledDistribution;
  readonly requested: boolean;
}

/** What marks move and write; paths are relative to the environment's root. */
export interface MarkPlan {
  /** dist-info folders that give way to others with the same files, but for REQUESTED. */
  readonly folders: readonly string[];
  readonly copied: readonly { readonly path: string; readonly isExecutable: boolean }[];
  readonly written: readonly { readonly path: string; readonly content: string }[];
}

/** Whether it changes anything. What has no RECORD cannot be marked. */
export function isNews({ distribution, requested }: Mark): boolean {
  const { kind, requested: is } = distribution;
  return kind === "dist-info" && is !== requested && distribution.record() !== undefined;
}

/** SHA-256 of nothing, as RECORD has it. */
const EMPTY_HASH = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

/**
 * Lays marks out. A whole folder changes places with another one, so that a package is there with
 * a whole RECORD, or not there.
 */
export function planMarks(environment: Environment, marks: readonly Mark[]): MarkPlan {
  const folders: string[] = [];
  const copied: { path: string; isExecutable: boolean }[] = [];
  const written: { path: string; content: string }[] = [];
  for (const { distribution, requested } of marks) {
    const folder = insideRoot(environment, distribution.path);
    const record = distribution.readFile("RECORD");
    if (folder === undefined || record === undefined) continue;
    folders.push(folder);
    const name = `${distribution.distInfo}/REQUESTED`;
    const others = record.split("\n").filter((line) => !line.startsWith(`${name},`));
    const own = requested ? formatRecordEntry(name, EMPTY_HASH, 0) : "";
    written.push({ path: `${folder}/RECORD`, content: own + others.join("\n") });
    if (requested) written.push({ path: `${folder}/REQUESTED`, content: "" });
    const replaced = new Set([`${folder}/RECORD`, `${folder}/REQUESTED`]);
    for (const path of filesBelow(environment.root, folder)) {
      if (replaced.has(path)) continue;
      const { mode } = statSync(join(environment.root, path));
      copied.push({ path, isExecutable: (mode & 0o100) !== 0 });
    }
  }
  return { folders, copied, written };
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}

/** Stages the new folders. On the disk at once: they are few, and nothing tells their sizes. */
export function stageMarks(root: number, staging: string, plan: MarkPlan): void {
  const enter = (path: string): string => {
    const target = `${staging}/${path}`;
    must(makeFoldersAt(root, dirname(target)), "make", target);
    return target;
  };
  for (const { path, isExecutable } of plan.copied) {
    const mode = isExecutable ? 0o777 : 0o666;
    must(copyAt(root, path, root, enter(path), mode), "write", path);
  }
  for (const { path, content } of plan.written) {
    must(writeNewFileAt(root, enter(path), content, { sync: true }), "write", path);
  }
}

/** The folders that a transaction's marks have brought and that are there. */
export function markedFolders(environment: Environment, journal: Journal): string[] {
  const marked = (journal.marked ?? []).map(({ path }) => path);
  return marked.filter((path) => existsSync(join(environment.root, path)));
}

/** The marks that take those of a journal back, on what is installed now. */
export function marksBack(
  journal: Journal,
  installed: readonly InstalledDistribution[],
): readonly Mark[] {
  return (journal.marked ?? []).flatMap(({ distInfo, requested }) => {
    const distribution = installed.find((one) => one.distInfo === distInfo);
    return distribution === undefined ? [] : [{ distribution, requested: !requested }];
  });
}

/** As a journal has them. */
export function describeMarks(
  environment: Environment,
  marks: readonly Mark[],
): NonNullable<Journal["marked"]> {
  return marks.map(({ distribution, requested }) => ({
    name: distribution.name,
    distInfo: distribution.distInfo,
    path: insideRoot(environment, distribution.path) ?? "",
    requested,
  }));
}

/** Entries of the history, with what is asked for now. */
export function withMarks<
  Entry extends { readonly name: PackageName; readonly requested: boolean },
>(entries: readonly Entry[], marks: NonNullable<Journal["marked"]>): Entry[] {
  return entries.map((entry) => {
    const mark = marks.find(({ name }) => name === entry.name);
    return mark === undefined ? entry : { ...entry, requested: mark.requested };
  });
}
