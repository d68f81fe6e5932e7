import { RootFolder } from "../../kit/fs/root-folder.ts";
import type { HomePlaces } from "./configuration.ts";
import type { HomePlan, HomeView } from "./homes.ts";
import { carryOut } from "./root-view.ts";

/**
 * The home folders of a system: in its root, or in folders that all its snapshots share (`home`,
 * `root`), where those exist.
 */
export class HomeFolders implements HomePlaces, Disposable {
  readonly #root: RootFolder;
  readonly #shared: ReadonlyMap<string, RootFolder>;
  readonly #open: RootFolder[] = [];

  /** @param shared absolute folders by what they stand for: `/home` */
  constructor(root: RootFolder, shared: ReadonlyMap<string, string>) {
    this.#root = root;
    this.#shared = new Map(
      [...shared].map(([path, folder]) => [path, RootFolder.open(folder)] as const),
    );
  }

  isShared(home: string): boolean {
    return this.#place(home).root !== this.#root;
  }

  owners(): ReadonlyMap<string, number> {
    const { root, path } = this.#place("/home/x");
    const folder = path.slice(0, -"/x".length) || ".";
    const owners = new Map<string, number>();
    for (const name of root.names(folder)) {
      const status = root.status(folder === "." ? name : `${folder}/${name}`);
      if (status?.kind === "folder") owners.set(`/home/${name}`, status.uid);
    }
    return owners;
  }

  inside(home: string): HomeView | undefined {
    const { root, path } = this.#place(home);
    if (root.status(path, { follow: true })?.kind !== "folder") return undefined;
    const folder = root.sub(path, "none");
    this.#open.push(folder);
    return folder;
  }

  carryOut(plan: HomePlan): void {
    const { root, path } = this.#place(plan.home);
    carryOut(
      root,
      plan.before.map((step) => ({ ...step, path })),
    );
    using folder = root.sub(path, "none");
    carryOut(folder, plan.inside);
  }

  [Symbol.dispose](): void {
    for (const folder of [...this.#open.splice(0), ...this.#shared.values()]) {
      folder[Symbol.dispose]();
    }
  }

  #place(home: string): { readonly root: RootFolder; readonly path: string } {
    for (const [path, root] of this.#shared) {
      if (home === path) return { root, path: "." };
      if (home.startsWith(`${path}/`)) return { root, path: home.slice(path.length + 1) };
    }
    return { root: this.#root, path: home.replace(/^\/+/, "") || "." };
  }
}
