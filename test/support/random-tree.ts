import fc from "fast-check";
import { hex, type TreeOperation } from "./tree.ts";

/**
 * Random trees and random changes to them, as operations of tree.py. Whatever writes content gets a
 * modification time of its own, so that comparison by size and time must find it; what it cannot
 * find is generated for comparison by content only.
 */

const NAMES = ["a", "b", "c", "d.log", "e e", "\xc3\xbc", "x\xff", "n\nl"];
const SIZES = [0, 1, 100, 4096, 5000, 70_000, 300_000];
const MODES = [0o644, 0o600, 0o755, 0o400, 0o000, 0o4755, 0o2711, 0o1666];
const FOLDER_MODES = [0o755, 0o700, 0o2775, 0o1777, 0o500];
const IDS = [0, 1, 1000, 65_534];
const PLACES_MAX = 64;

/** What the generator draws; which entry it means is settled against the tree at hand. */
interface Step {
  readonly kind:
    | "file"
    | "file"
    | "holes"
    | "folder"
    | "link"
    | "hard"
    | "fifo"
    | "remove"
    | "rename"
    | "mode"
    | "owner"
    | "time"
    | "xattr"
    | "patch";
  readonly place: number;
  readonly other: number;
  readonly name: string;
  readonly choice: number;
}

export interface RandomPlan {
  readonly tree: readonly Step[];
  readonly changes: readonly (Step & { readonly side: "source" | "target" })[];
}

const ADDING = ["file", "file", "holes", "folder", "folder", "link", "hard", "fifo"] as const;
const CHANGING = ["remove", "remove", "rename", "mode", "owner", "time", "xattr", "patch"] as const;

function steps(kinds: readonly Step["kind"][]): fc.Arbitrary<Step> {
  const index = fc.nat({ max: PLACES_MAX });
  return fc.record({
    kind: fc.constantFrom(...kinds),
    place: index,
    other: index,
    name: fc.constantFrom(...NAMES),
    choice: fc.nat({ max: 1000 }),
  });
}

/** A tree of up to 40 entries and up to 14 changes in source and target. */
export function randomPlans(): fc.Arbitrary<RandomPlan> {
  const change = fc
    .tuple(steps([...ADDING, ...CHANGING]), fc.constantFrom("source", "target"))
    .map(([step, side]) => ({ ...step, side }) as RandomPlan["changes"][number]);
  return fc.record({
    tree: fc.array(steps(ADDING), { minLength: 1, maxLength: 40 }),
    changes: fc.array(change, { minLength: 1, maxLength: 14 }),
  });
}

type Kind = "file" | "folder" | "link" | "fifo";

/** A tree as far as the generator has to know it: path -> kind. */
export class TreeModel {
  readonly entries: Map<string, Kind>;
  readonly #clock: { ns: bigint };

  constructor(entries: ReadonlyMap<string, Kind> = new Map(), clock = { ns: 1_500_000_000n }) {
    this.entries = new Map(entries);
    this.#clock = clock;
  }

  /** The same tree on the other side, with the same source of times. */
  copy(): TreeModel {
    return new TreeModel(this.entries, this.#clock);
  }

  /** The operations for a step, and the model changed by them; none where it makes no sense. */
  apply(step: Step, allowed: { readonly hidden: boolean }): TreeOperation[] {
    switch (step.kind) {
      case "remove":
        return this.#remove(this.#pick(step.place));
      case "rename":
        return this.#rename(this.#pick(step.place), this.#newPath(step));
      case "mode":
      case "owner":
      case "time":
        return this.#set(step);
      case "xattr":
        return allowed.hidden ? this.#set(step) : [];
      case "patch":
        return allowed.hidden ? this.#patch(step) : [];
      default:
        return this.#add(step);
    }
  }

  #pick(place: number, kind?: Kind): string | undefined {
    const paths = [...this.entries.keys()].filter(
      (path) => kind === undefined || this.entries.get(path) === kind,
    );
    return paths.length === 0 ? undefined : paths[place % paths.length];
  }

  #newPath(step: Step): string {
    const folders = [
      "",
      ...[...this.entries.keys()].filter((p) => this.entries.get(p) === "folder"),
    ];
    const folder = folders[step.other % folders.length] ?? "";
    return folder === "" ? step.name : `${folder}/${step.name}`;
  }

  #now(): string {
    this.#clock.ns += 1_000_000_007n;
    return `${this.#clock.ns}`;
  }

  #forget(path: string): void {
    for (const each of [...this.entries.keys()]) {
      if (each === path || each.startsWith(`${path}/`)) this.entries.delete(each);
    }
  }

  #remove(path: string | undefined): TreeOperation[] {
    if (path === undefined) return [];
    this.#forget(path);
    return [{ op: "remove", path }];
  }

  #rename(path: string | undefined, to: string): TreeOperation[] {
    if (path === undefined || this.entries.has(to) || to.startsWith(`${path}/`)) return [];
    const moved = [...this.entries].filter(
      ([each]) => each === path || each.startsWith(`${path}/`),
    );
    this.#forget(path);
    for (const [each, kind] of moved) this.entries.set(to + each.slice(path.length), kind);
    return [{ op: "rename", path, to }];
  }

  #set(step: Step): TreeOperation[] {
    const path = this.#pick(step.place);
    const kind = path === undefined ? undefined : this.entries.get(path);
    if (path === undefined || kind === undefined) return [];
    const { choice } = step;
    if (step.kind === "time") return [{ op: "set", path, mtimeNs: this.#now() }];
    if (step.kind === "owner") {
      return [{ op: "set", path, uid: pick(IDS, choice), gid: pick(IDS, choice >> 2) }];
    }
    if (kind === "link") return [];
    if (step.kind === "mode") {
      return [{ op: "set", path, mode: pick(kind === "folder" ? FOLDER_MODES : MODES, choice) }];
    }
    if (kind === "fifo") return [];
    return [{ op: "set", path, xattrs: { [`user.${choice % 3}`]: hex(`${choice}`) } }];
  }

  #patch(step: Step): TreeOperation[] {
    const path = this.#pick(step.place, "file");
    return path === undefined ? [] : [{ op: "patch", path, text: `${step.choice}` }];
  }

  #add(step: Step): TreeOperation[] {
    const path = this.#newPath(step);
    const { choice } = step;
    const before = this.#remove(this.entries.has(path) ? path : undefined);
    const times = { mtimeNs: this.#now() };
    const owner = choice % 5 === 0 ? { uid: pick(IDS, choice), gid: pick(IDS, choice >> 3) } : {};
    const xattrs = choice % 7 === 0 ? { xattrs: { "user.x": hex(`${choice}`) } } : {};
    const plain = { ...times, ...owner, ...xattrs, mode: pick(MODES, choice) };
    if (step.kind === "hard") {
      const to = this.#pick(step.place, "file");
      if (to === undefined) return before;
      this.entries.set(path, "file");
      return [...before, { op: "hard", path, to }];
    }
    this.entries.set(path, step.kind === "holes" ? "file" : (step.kind as Kind));
    switch (step.kind) {
      case "folder":
        return [...before, { op: "folder", path, ...plain, mode: pick(FOLDER_MODES, choice) }];
      case "link":
        return [...before, { op: "link", path, to: pick(NAMES, choice), ...times, ...owner }];
      case "fifo":
        return [...before, { op: "fifo", path, ...times, ...owner }];
      case "holes": {
        const data = [[(choice % 8) * 65_536, 5000]] as const;
        return [...before, { op: "file", path, size: 700_000, seed: choice, data, ...plain }];
      }
      default: {
        const size = choice === 500 ? 9 << 20 : pick(SIZES, choice);
        return [...before, { op: "file", path, size, seed: choice, ...plain }];
      }
    }
  }
}

function pick<T>(list: readonly T[], choice: number): T {
  return list[choice % list.length] as T;
}
