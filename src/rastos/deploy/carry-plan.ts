import type { BigIntStats } from "node:fs";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { compareFile, statusOf } from "../snapshot/compare-file.ts";
import type { FileAspect, FileChange } from "../snapshot/file-change.ts";
import type { AccountTexts } from "../system/accounts.ts";
import { readAccountTexts } from "../system/configuration.ts";
import { etcFileChanges } from "./etc-diff.ts";
import { isFstabEdited } from "./fstab.ts";
import { ACCOUNT_FILES, type AccountMerge, mergeAccounts } from "./merge-accounts.ts";
import { Reach, readTextAt } from "./tree-path.ts";

/** Three etc folders: absolute paths. */
export interface EtcVersions {
  /** Of the snapshot that the deployment was made of. */
  readonly base: string;
  /** Of the deployment: what somebody has changed by hand. */
  readonly mine: string;
  /** Of the snapshot that is deployed now. */
  readonly next: string;
}

/** What becomes of a change that was made by hand in /etc. */
export interface CarriedChange {
  /** Below etc. */
  readonly path: string;
  /**
   * `carried`: only it was changed; `merged`: both changes are in the file; `kept`: both have
   * changed it, and mine is the file; `declared`: the system.toml says otherwise, and counts;
   * `left`: it cannot be carried and is only in the old deployment.
   */
  readonly action: "carried" | "merged" | "kept" | "declared" | "left";
  /** A sentence without full stop; undefined for what goes without saying. */
  readonly text?: string | undefined;
  /** Where the new snapshot's file is, below etc. */
  readonly beside?: string | undefined;
}

/** One thing to do in the new etc. */
export type CarryStep =
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "beside"; readonly path: string; readonly to: string }
  | {
      readonly kind: "copy";
      readonly path: string;
      readonly aspects: readonly FileAspect[] | "all";
    }
  | { readonly kind: "text"; readonly path: string; readonly latin1: string };

/** What is to be done so that nothing that was changed by hand is lost. */
export interface CarryPlan {
  readonly changes: readonly CarriedChange[];
  readonly steps: readonly CarryStep[];
  /** In the place of the snapshot's fstab. */
  readonly fstab: string | undefined;
  /** Numbers of users and groups that are others in the new etc. */
  readonly uids: ReadonlyMap<number, number>;
  readonly gids: ReadonlyMap<number, number>;
  /** Sentences: why the accounts of both cannot be in one system. */
  readonly collisions: readonly string[];
}

/** What stands behind the name of a new snapshot's file that has to make room. */
export const BESIDE = ".rastos-new";

/** Finds out what was changed by hand and what becomes of it. Looks, and changes nothing. */
export function planCarry(versions: EtcVersions): CarryPlan {
  return new Planning(versions).run();
}

/** Where nothing is carried. */
export const NO_CARRY: CarryPlan = {
  changes: [],
  steps: [],
  fstab: undefined,
  uids: new Map(),
  gids: new Map(),
  collisions: [],
};

/** Of the machine, and told to nobody: the last one counts. */
const QUIET = new Set(["adjtime", "resolv.conf"]);
/** Carried by `keepIdentity`. */
const IDENTITY = "machine-id";
/** Where these alone were changed by both, there is no second file to look at. */
const RIGHTS: ReadonlySet<FileAspect> = new Set(["mode", "owner", "attributes"]);

class Planning {
  readonly #versions: EtcVersions;
  readonly #trees: EtcVersions;
  readonly #reach: Reach;
  readonly #changes: CarriedChange[] = [];
  /** Folders of mine that take the place of something else. */
  readonly #replaced = new Set<string>();
  readonly #removals: CarryStep[] = [];
  readonly #steps: CarryStep[] = [];

  constructor(versions: EtcVersions) {
    const latin1 = (path: string): string => Buffer.from(path).toString("latin1");
    const { base, mine, next } = versions;
    this.#versions = versions;
    this.#trees = { base: latin1(base), mine: latin1(mine), next: latin1(next) };
    this.#reach = new Reach(this.#trees.next);
  }

  run(): CarryPlan {
    const { base, mine } = this.#versions;
    const found = etcFileChanges(base, mine);
    const accounts = this.#accounts(found);
    for (const change of found) this.#decide(change, accounts !== undefined);
    const fstab = this.#fstab();
    const besides = new Set(this.#changes.map(({ beside }) => beside));
    const { uids, gids, collisions } = accounts ?? NO_CARRY;
    return {
      // A former file beside one that gets a new one now.
      changes: this.#changes.filter(({ path }) => !besides.has(path)),
      // Folders after what is in them; what takes the place of something after it has gone.
      steps: [
        ...this.#removals.reverse(),
        ...this.#steps.filter((step) => step.kind !== "copy" || !besides.has(step.path)),
      ],
      fstab,
      uids,
      gids,
      collisions,
    };
  }

  #decide(change: FileChange, areAccountsMerged: boolean): void {
    const path = textOf(change.path.slice(1));
    if (change.path === `/${IDENTITY}`) return;
    const above = change.path.slice(1, change.path.lastIndexOf("/"));
    if (path === undefined) {
      this.#left(change.path.slice(1), "its name is no text");
      return;
    }
    if (change.type === "device") {
      this.#left(path, "it is a device");
      return;
    }
    const reach = this.#replaced.has(above) ? "absent" : this.#reach.of(change.path);
    if (reach === "blocked") {
      if (change.kind !== "removed") this.#left(path, "its folder is none in the new snapshot");
      return;
    }
    const [base, mine, next] = [
      this.#file("base", change),
      this.#file("mine", change),
      reach === "there" ? this.#file("next", change) : undefined,
    ];
    if (areAccountsMerged && isAccountFile(path)) {
      const aspects = change.aspects.filter((aspect) => RIGHTS.has(aspect));
      if (change.kind !== "changed" || aspects.length === 0) return;
      this.#copy(path, aspects);
      const isTold = this.#changes.some((one) => one.path === path);
      if (!isTold) this.#add({ path, action: "carried" });
      return;
    }
    if (mine === undefined) this.#removed(path, { base, next });
    else {
      const isFolder = mine.status.isDirectory() && next?.status.isDirectory() !== true;
      if (isFolder) this.#replaced.add(change.path.slice(1));
      this.#changed(path, { base, mine, next }, change);
    }
  }

  #removed(path: string, { base, next }: Pick<Files, "base" | "next">): void {
    if (base === undefined || next === undefined) return;
    const isFolder = base.status.isDirectory() && next.status.isDirectory();
    const isSame = isFolder || compareFile(base, next).length === 0;
    this.#removals.push(isSame ? { kind: "remove", path } : this.#beside(path));
    if (isSame) this.#add({ path, action: "carried" });
    else this.#kept(path, "removed by hand, and changed in the new snapshot: it stays away");
  }

  #changed(path: string, files: Files & { readonly mine: FileAt }, change: FileChange): void {
    const { base, mine, next } = files;
    if (next === undefined) {
      // A folder that is gone, and of which only the rights were changed.
      if (base !== undefined && mine.status.isDirectory() && base.status.isDirectory()) return;
      this.#copy(path, "all");
      if (base === undefined) this.#add({ path, action: "carried" });
      else this.#kept(path, "changed by hand, and no more in the new snapshot: it stays", false);
      return;
    }
    if (compareFile(next, mine).length === 0) return;
    const theirs = base === undefined ? undefined : compareFile(base, next);
    const isWhole = change.aspects.includes("type") || base === undefined;
    const both = isWhole ? undefined : change.aspects.filter((one) => theirs?.includes(one));
    if (theirs?.length === 0 || QUIET.has(path)) {
      this.#copy(path, isWhole ? "all" : change.aspects);
      this.#add({ path, action: "carried" });
    } else if (both !== undefined && !theirs?.includes("type") && both.every(isRight)) {
      this.#copy(path, change.aspects);
      if (both.length === 0) this.#add({ path, action: "merged" });
      else this.#kept(path, "rights changed by hand and in the new snapshot: yours stay", false);
    } else this.#conflict(path, files, change);
  }

  #conflict(path: string, { mine, next }: Files & { readonly mine: FileAt }, c: FileChange): void {
    if (mine.status.isDirectory() && next?.status.isDirectory() === true) {
      this.#copy(path, "all");
      this.#add({ path, action: "carried" });
      return;
    }
    this.#steps.push(this.#beside(path));
    this.#copy(path, "all");
    const verb = c.kind === "added" ? "added" : "changed";
    this.#kept(path, `${verb} by hand and in the new snapshot: yours stays`);
  }

  #accounts(found: readonly FileChange[]): AccountMerge | undefined {
    if (!found.some(({ path }) => isAccountFile(path.slice(1)))) return undefined;
    const trees = [this.#versions.base, this.#versions.mine, this.#versions.next];
    const texts = trees.map(readTexts);
    const [base, mine, next] = texts;
    if (base === undefined || mine === undefined || next === undefined) return undefined;
    const merge = mergeAccounts({ base, mine, next });
    for (const name of ACCOUNT_FILES) {
      const latin1 = merge.texts[name];
      if (latin1 === next[name]) continue;
      if (latin1 === undefined) this.#removals.push({ kind: "remove", path: name });
      else this.#steps.push({ kind: "text", path: name, latin1 });
      this.#add({ path: name, action: latin1 === mine[name] ? "carried" : "merged" });
    }
    for (const text of merge.notes) this.#add({ path: "passwd", action: "merged", text });
    return merge;
  }

  /** Its first lines are written for each deployment; the others are carried as one. */
  #fstab(): string | undefined {
    const { base, mine, next } = this.#versions;
    const [before, own, other] = [base, mine, next].map((tree) => readTextAt(tree, "fstab"));
    if (own === undefined || !isFstabEdited(before, own)) return undefined;
    if (before === other) this.#add({ path: "fstab", action: "carried" });
    else {
      this.#steps.push(this.#beside("fstab"));
      this.#kept("fstab", "changed by hand and in the new snapshot: yours stays");
    }
    return own;
  }

  #file(tree: keyof EtcVersions, { path }: FileChange): FileAt | undefined {
    const full = this.#trees[tree] + path;
    const status = statusOf(full);
    return status === undefined ? undefined : { path: full, status };
  }

  #copy(path: string, aspects: readonly FileAspect[] | "all"): void {
    this.#steps.push({ kind: "copy", path, aspects });
  }

  #beside(path: string): CarryStep {
    return { kind: "beside", path, to: `${path}${BESIDE}` };
  }

  #kept(path: string, text: string, isBeside = true): void {
    this.#add({ path, action: "kept", text, ...(isBeside ? { beside: `${path}${BESIDE}` } : {}) });
  }

  #left(path: string, why: string): void {
    this.#add({ path, action: "left", text: `stays behind: ${why}` });
  }

  #add(change: CarriedChange): void {
    this.#changes.push(change);
  }
}

interface FileAt {
  /** In latin1. */
  readonly path: string;
  readonly status: BigIntStats;
}

interface Files {
  readonly base: FileAt | undefined;
  readonly mine: FileAt | undefined;
  readonly next: FileAt | undefined;
}

function isRight(aspect: FileAspect): boolean {
  return RIGHTS.has(aspect);
}

function isAccountFile(path: string): boolean {
  return ACCOUNT_FILES.some((name) => name === path);
}

/** The files of accounts; undefined where one of them is no file, and so no table. */
function readTexts(etc: string): AccountTexts | undefined {
  using root = RootFolder.open(etc, "none");
  const areFiles = ACCOUNT_FILES.every((name) => (root.status(name)?.kind ?? "file") === "file");
  return areFiles ? readAccountTexts(root, ".") : undefined;
}

/** UTF-8 of latin1 text; undefined where the bytes are no UTF-8. */
function textOf(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
