import type { EntryRights, EntryStatus } from "../../kit/fs/root-folder.ts";

/** What a plan sees of a root, a `RootFolder` or one in memory. Paths begin without a slash. */
export interface RootView {
  readText(path: string): string | undefined;
  read(path: string): Uint8Array | undefined;
  readLink(path: string): string | undefined;
  names(path: string): string[];
  status(path: string, options?: { readonly follow?: boolean }): EntryStatus | undefined;
}

/** Owner and permissions in full. */
export interface Rights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One step of a configuration, carried out by `carryOut`. */
export type RootStep =
  | {
      readonly kind: "file";
      readonly path: string;
      /** latin1 where `isBytes`, else written as UTF-8. */
      readonly content: string | Uint8Array;
      readonly rights?: EntryRights;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string; readonly rights?: EntryRights }
  | { readonly kind: "rights"; readonly path: string; readonly rights: Rights }
  | { readonly kind: "remove"; readonly path: string };

/** What carries steps out: `RootFolder`, or one in memory in tests. */
export interface WritableRoot extends RootView {
  writeFile(path: string, content: string | Uint8Array, rights?: EntryRights): void;
  writeLink(path: string, target: string): void;
  makeFolder(path: string, rights?: EntryRights): void;
  setRights(path: string, rights: Rights): void;
  remove(path: string): void;
}

/** Does the steps in their order. */
export function carryOut(root: WritableRoot, steps: readonly RootStep[]): void {
  for (const step of steps) {
    switch (step.kind) {
      case "file":
        root.writeFile(step.path, step.content, step.rights);
        break;
      case "link":
        root.writeLink(step.path, step.target);
        break;
      case "folder":
        root.makeFolder(step.path, step.rights);
        break;
      case "rights":
        root.setRights(step.path, step.rights);
        break;
      case "remove":
        root.remove(step.path);
        break;
    }
  }
}

/** The steps to make the folder of a path, where it is not there. */
export function folderSteps(view: RootView, path: string): RootStep[] {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return view.status(folder, { follow: true }) === undefined
    ? [{ kind: "folder", path: folder }]
    : [];
}
