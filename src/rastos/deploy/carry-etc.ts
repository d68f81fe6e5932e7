import { type EntryStatus, RootFolder } from "../../kit/fs/root-folder.ts";
import type { FileAspect } from "../snapshot/file-change.ts";
import type { ConfigurationChange } from "../system/types.ts";
import type { CarriedChange, CarryPlan, CarryStep } from "./carry-plan.ts";
import { removeWhole } from "./etc-reset.ts";

/** The new deployment, not yet to be seen by anybody, and the etc that is carried into it. */
export interface CarryPlace {
  /** Root of the deployment. */
  readonly root: string;
  /** The etc that the plan calls mine. */
  readonly mine: string;
  /** The system.toml of the snapshot, if it has one. */
  readonly declaration: string | undefined;
  /** Home folders that lie elsewhere. */
  readonly shared: ReadonlyMap<string, string>;
}

/**
 * Carries the changes that were made by hand into the etc of a new deployment. What its system.toml
 * declares counts more than what was done by hand. Links in either lead nowhere else.
 *
 * @returns what has become of each change
 * @throws {Fault} E_IO, E_NO_SPACE; the deployment is to be thrown away then
 */
export async function carryEtc(
  plan: CarryPlan,
  place: CarryPlace,
): Promise<readonly CarriedChange[]> {
  if (plan.changes.length === 0) return [];
  {
    using mine = RootFolder.open(place.mine, "none");
    using next = RootFolder.open(`${place.root}/etc`, "none");
    for (const step of plan.steps) new Carrier({ mine, next, plan }).carryOut(step);
  }
  const declared = await settle(place);
  using next = RootFolder.open(`${place.root}/etc`, "none");
  return [
    ...plan.changes.map((change) => withoutEqual(next, change)),
    ...declared.map(({ path, text }): CarriedChange => {
      return { path: path.replace(/^etc\//, ""), action: "declared", text };
    }),
  ];
}

/** Loaded only where there is something to settle: the schema takes its time. */
async function settle(place: CarryPlace): Promise<readonly ConfigurationChange[]> {
  if (place.declaration === undefined) return [];
  const { settleDeclared } = await import("../system/settle.ts");
  return await settleDeclared(place.root, place.declaration, place.shared);
}

/** A file beside another one of the same content is of no use. */
function withoutEqual(next: RootFolder, change: CarriedChange): CarriedChange {
  const { path, beside } = change;
  if (beside === undefined || next.status(path)?.kind !== "file") return change;
  const other = next.status(beside)?.kind === "file" ? next.read(beside) : undefined;
  if (other === undefined || next.read(path)?.equals(other) !== true) return change;
  next.remove(beside);
  return { path, action: "declared", text: "changed by hand: the declared one counts" };
}

class Carrier {
  readonly #mine: RootFolder;
  readonly #next: RootFolder;
  readonly #plan: CarryPlan;

  constructor(parts: { mine: RootFolder; next: RootFolder; plan: CarryPlan }) {
    this.#mine = parts.mine;
    this.#next = parts.next;
    this.#plan = parts.plan;
  }

  carryOut(step: CarryStep): void {
    switch (step.kind) {
      case "remove":
        this.#remove(step.path);
        break;
      case "beside":
        this.#moveBeside(step.path, step.to);
        break;
      case "text":
        this.#next.writeFile(step.path, Buffer.from(step.latin1, "latin1"), this.#textRights(step));
        break;
      case "copy":
        this.#copy(step.path, step.aspects);
        break;
    }
  }

  /** A folder with something new in it stays. */
  #remove(path: string): void {
    const isFull = this.#next.status(path)?.kind === "folder" && this.#next.names(path).length > 0;
    if (!isFull) this.#next.remove(path);
  }

  #moveBeside(path: string, to: string): void {
    if (this.#next.status(path) === undefined) return;
    removeWhole(this.#next, to);
    this.#next.rename(path, to);
  }

  /** Of a file that is there its own; of a new one mine. */
  #textRights({ path }: { readonly path: string }): Partial<EntryStatus> {
    if (this.#next.status(path) !== undefined) return {};
    const status = this.#mine.status(path);
    return { mode: status?.mode ?? 0o600, uid: status?.uid ?? 0, gid: status?.gid ?? 0 };
  }

  #copy(path: string, aspects: readonly FileAspect[] | "all"): void {
    const mine = this.#mine.status(path);
    // Gone since it was looked at: whoever replaces it now does so in the old deployment.
    if (mine === undefined || mine.kind === "other") return;
    const there = this.#next.status(path);
    if (aspects !== "all" && there?.kind === mine.kind) {
      this.#copyAspects(path, aspects, { mine, there });
      return;
    }
    this.#makeParents(path);
    if (there !== undefined && there.kind !== mine.kind) this.#makeRoom(path, there);
    const rights = this.#rights(mine);
    if (mine.kind === "link") this.#next.writeLink(path, this.#mine.readLink(path) ?? "");
    else if (mine.kind === "file") this.#next.copyFile(this.#mine, path, rights, false);
    else this.#folder(path, rights);
  }

  #copyAspects(
    path: string,
    aspects: readonly FileAspect[],
    { mine, there }: { readonly mine: EntryStatus; readonly there: EntryStatus },
  ): void {
    if (aspects.includes("target")) {
      this.#next.writeLink(path, this.#mine.readLink(path) ?? "");
      return;
    }
    if (mine.kind === "link") return;
    const own = this.#rights(mine);
    const rights = {
      mode: aspects.includes("mode") ? own.mode : there.mode,
      uid: aspects.includes("owner") ? own.uid : there.uid,
      gid: aspects.includes("owner") ? own.gid : there.gid,
    };
    const side = aspects.includes("attributes") ? this.#mine : this.#next;
    const attributes = side.attributes(path);
    if (aspects.includes("content")) this.#next.copyFile(this.#mine, path, rights, false);
    else this.#next.setRights(path, rights);
    this.#next.setAttributes(path, attributes);
  }

  #folder(path: string, rights: Rights): void {
    this.#next.makeFolder(path, rights);
    this.#next.setRights(path, rights);
    this.#next.setAttributes(path, this.#mine.attributes(path));
  }

  /** Folders that only the old etc has, with its rights. */
  #makeParents(path: string): void {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (this.#next.status(folder) !== undefined) continue;
      const status = this.#mine.status(folder);
      if (status !== undefined) this.#folder(folder, this.#rights(status));
    }
  }

  #makeRoom(path: string, there: EntryStatus): void {
    const isFull = there.kind === "folder" && this.#next.names(path).length > 0;
    if (isFull) this.#moveBeside(path, `${path}.rastos-new`);
    else this.#next.remove(path);
  }

  #rights({ mode, uid, gid }: EntryStatus): Rights {
    const { uids, gids } = this.#plan;
    return { mode, uid: uids.get(uid) ?? uid, gid: gids.get(gid) ?? gid };
  }
}

interface Rights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
