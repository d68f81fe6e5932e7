import { partPath, SNAPSHOTS } from "../snapshot/layout.ts";
import type { SnapshotRecord } from "../snapshot/record.ts";
import type { SystemState } from "../snapshot/types.ts";
import type { FolderNode, Nanoseconds, Status, Subvolume, TreeNode } from "./btrfs/model.ts";
import type { ImageIdentity } from "./identity.ts";

/** Folders that all snapshots share, by the name of their subvolume on the top level. */
const SHARED = [
  { name: "home", path: "home" },
  { name: "root", path: "root" },
  { name: "srv", path: "srv" },
  { name: "log", path: "var/log" },
] as const;

/** What the first snapshot is. */
export interface FirstSystem {
  readonly root: FolderNode;
  readonly description: string;
  /** The system.toml that made it, as text. */
  readonly system: string | undefined;
  readonly kernelVersion: string;
  /** For what has no time of its own. */
  readonly time: Nanoseconds;
  readonly identity: ImageIdentity;
  /** The deployment's fstab. */
  readonly fstab: string;
}

/** Snapshot and deployment of a new system have these numbers. */
export const FIRST = { snapshot: 0, deployment: 1, entry: "rastos-0-1" } as const;

/** From the top level: the subvolume that boots. */
export const FIRST_DEPLOYMENT = `${SNAPSHOTS}/deploy/deploy-0-1`;

/**
 * The top level of a new system in its final shape: snapshot 0, read-only, with etc and var of its
 * own; a deployment of it that boots; and what all snapshots share.
 */
export function systemTree(system: FirstSystem): Subvolume {
  return new Builder(system).build();
}

class Builder {
  readonly #system: FirstSystem;
  #nextId = 256;

  constructor(system: FirstSystem) {
    this.#system = system;
  }

  build(): Subvolume {
    const { root, description, system, time } = this.#system;
    const shared = SHARED.map(({ name, path }) => [name, this.#shared(name, path)] as const);
    const etc = folderAt(root, "etc") ?? this.#folder(0o755);
    const stripped = SHARED.reduce((tree, { path }) => emptied(tree, path), root);
    const variable = folderAt(stripped, "var") ?? this.#folder(0o755);
    const record: SnapshotRecord = {
      id: FIRST.snapshot,
      parent: undefined,
      branch: undefined,
      description,
      createdMs: Number(time / 1_000_000n),
      system,
    };
    const base = replaced(stripped, {
      etc: { ...etc, entries: new Map() },
      var: { ...variable, entries: new Map() },
    });
    const recorded = { ...base, status: withRecord(base.status, record) };
    const parts = {
      root: this.#subvolume("snapshot root", recorded, true),
      etc: this.#subvolume("snapshot etc", etc, true),
      var: this.#subvolume("snapshot var", variable, true),
    };
    const deployment = this.#deployment(base, etc, variable, parts);
    const state = this.#state(record, parts.root.uuid);
    const tree = this.#folder(0o755);
    // As SnapshotTree makes it: old set-uid programs are in there, and nobody else gets at them.
    this.#put(tree, SNAPSHOTS, this.#folder(0o700));
    for (const part of ["root", "etc", "var"] as const) {
      this.#put(tree, partPath("", part, FIRST.snapshot), subvolumeNode(parts[part]));
    }
    this.#put(tree, FIRST_DEPLOYMENT, subvolumeNode(deployment));
    this.#put(tree, `${SNAPSHOTS}/tmp`, this.#folder(0o755));
    this.#put(tree, `${SNAPSHOTS}/state/state.json`, this.#file(`${state}\n`, 0o600));
    for (const [name, subvolume] of shared) tree.entries.set(name, subvolumeNode(subvolume));
    const uuid = this.#system.identity.subvolume("top");
    return { id: 5, uuid, isReadOnly: false, root: tree };
  }

  #deployment(
    base: FolderNode,
    etc: FolderNode,
    variable: FolderNode,
    parts: Readonly<Record<"root" | "etc" | "var", Subvolume>>,
  ): Subvolume {
    const own = replaced(etc, { fstab: this.#file(this.#system.fstab, 0o644) });
    const nested = {
      etc: this.#subvolume("deployment etc", own, false, parts.etc),
      var: this.#subvolume("deployment var", variable, false, parts.var),
    };
    const root = replaced(base, {
      etc: subvolumeNode(nested.etc),
      var: subvolumeNode(nested.var),
    });
    return this.#subvolume("deployment root", root, false, parts.root);
  }

  #shared(name: string, path: string): Subvolume {
    const found = folderAt(this.#system.root, path);
    const root = found ?? this.#folder(name === "root" ? 0o700 : 0o755);
    return this.#subvolume(`shared ${name}`, root, false);
  }

  #state(record: SnapshotRecord, uuid: string): string {
    const { createdMs } = record;
    const state: SystemState = {
      format: 1,
      defaultDeployment: FIRST.deployment,
      snapshots: [{ ...record, isPinned: false, uuid }],
      deployments: [
        {
          id: FIRST.deployment,
          snapshot: FIRST.snapshot,
          subvolume: FIRST_DEPLOYMENT,
          entry: FIRST.entry,
          state: "good",
          createdMs,
          kernelVersion: this.#system.kernelVersion,
        },
      ],
      nextSnapshot: FIRST.snapshot + 1,
      nextDeployment: FIRST.deployment + 1,
    };
    return JSON.stringify(state, null, 1);
  }

  #subvolume(name: string, root: FolderNode, isReadOnly: boolean, parent?: Subvolume): Subvolume {
    const uuid = this.#system.identity.subvolume(name);
    return { id: this.#nextId++, uuid, parentUuid: parent?.uuid, isReadOnly, root };
  }

  /** Puts a node in its place, and makes the folders above it. */
  #put(tree: FolderNode, path: string, node: TreeNode): void {
    const parts = path.split("/").filter((part) => part !== "");
    const name = parts.pop() ?? "";
    let folder = tree;
    for (const part of parts) {
      const next = folder.entries.get(part);
      const below = next?.kind === "folder" ? next : this.#folder(0o755);
      folder.entries.set(part, below);
      folder = below;
    }
    folder.entries.set(name, node);
  }

  #folder(permissions: number): FolderNode {
    return { kind: "folder", status: this.#status(permissions), entries: new Map() };
  }

  #file(text: string, permissions: number): TreeNode {
    const content = { kind: "bytes", bytes: Buffer.from(text) } as const;
    return { kind: "file", status: this.#status(permissions), content };
  }

  #status(permissions: number): Status {
    return { permissions, uid: 0, gid: 0, modified: this.#system.time, attributes: [] };
  }
}

function subvolumeNode(subvolume: Subvolume): TreeNode {
  return { kind: "subvolume", subvolume };
}

/** The attribute that src/rastos/snapshot/record.ts reads. */
function withRecord(status: Status, record: SnapshotRecord): Status {
  const value = Buffer.from(JSON.stringify(record));
  const name = "user.rastos.snapshot";
  const others = status.attributes.filter((attribute) => attribute.name !== name);
  return { ...status, attributes: [...others, { name, value }] };
}

/** A folder below another one; undefined where there is none, or only a link. */
export function folderAt(tree: FolderNode, path: string): FolderNode | undefined {
  let folder: TreeNode | undefined = tree;
  for (const part of path.split("/")) {
    folder = folder?.kind === "folder" ? folder.entries.get(part) : undefined;
  }
  return folder?.kind === "folder" ? folder : undefined;
}

/** The tree with some entries of its root replaced; the rest is shared. */
function replaced(tree: FolderNode, entries: Readonly<Record<string, TreeNode>>): FolderNode {
  return { ...tree, entries: new Map([...tree.entries, ...Object.entries(entries)]) };
}

/** The tree with a folder emptied, which stays where it was. */
export function emptied(tree: FolderNode, path: string): FolderNode {
  const folder = folderAt(tree, path);
  return folder === undefined ? tree : withNode(tree, path, { ...folder, entries: new Map() });
}

/** The tree with another node (or none) at a path whose folders exist. */
export function withNode(tree: FolderNode, path: string, node: TreeNode | undefined): FolderNode {
  const [name = "", ...rest] = path.split("/");
  const entries = new Map(tree.entries);
  if (rest.length > 0) {
    const below = tree.entries.get(name);
    if (below?.kind !== "folder") return tree;
    entries.set(name, withNode(below, rest.join("/"), node));
  } else if (node === undefined) entries.delete(name);
  else entries.set(name, node);
  return { ...tree, entries };
}
