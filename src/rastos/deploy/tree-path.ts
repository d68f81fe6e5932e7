import { RootFolder } from "../../kit/fs/root-folder.ts";
import { statusOf } from "../snapshot/compare-file.ts";

/** The text of a file in a folder, links not followed; undefined where there is no such file. */
export function readTextAt(folder: string, path: string): string | undefined {
  using root = RootFolder.open(folder, "none");
  return root.status(path)?.kind === "file" ? root.readText(path) : undefined;
}

/** How the folders above a path are in a tree, none of them through a link. */
export class Reach {
  readonly #tree: string;
  readonly #known = new Map<string, "there" | "absent" | "blocked">([["", "there"]]);

  /** @param tree path in latin1 */
  constructor(tree: string) {
    this.#tree = tree;
  }

  /** @param path begins with a slash; "blocked" where a file or link is in the place of a folder */
  of(path: string): "there" | "absent" | "blocked" {
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const known = this.#known.get(above);
    if (known !== undefined) return known;
    const higher = this.of(above);
    const reach = higher === "there" ? this.#look(above) : higher;
    this.#known.set(above, reach);
    return reach;
  }

  #look(path: string): "there" | "absent" | "blocked" {
    const status = statusOf(this.#tree + path);
    if (status === undefined) return "absent";
    return status.isDirectory() ? "there" : "blocked";
  }
}
