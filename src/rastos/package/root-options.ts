import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { type ConfigFile, parsePacmanConfig } from "./pacman-conf.ts";
import type { PackageRootOptions } from "./types.ts";

/** A root whose etc and var may lie apart, as those of a snapshot do. All absolute. */
export interface PackageRoot {
  readonly root: string;
  readonly etc?: string | undefined;
  readonly var?: string | undefined;
}

/** What a root's own pacman.conf(5) says, for a package manager of it. */
export interface RootPackageOptions extends PackageRootOptions {
  /** IgnorePkg. */
  readonly ignored: readonly string[];
}

const CONFIG = "etc/pacman.conf";

/**
 * The options by which a root's packages are managed: from its /etc/pacman.conf, with what that
 * includes; links lead nowhere but into the root.
 *
 * @param other a pacman.conf of this machine, in the place of the root's own
 * @throws {Fault} E_NOT_FOUND without the root, E_CONFIG for what is wrong in the file
 */
export function readRootOptions(place: PackageRoot, other?: ConfigFile): RootPackageOptions {
  using reader = new RootReader(place);
  const text = other === undefined ? reader.text(CONFIG) : undefined;
  const own = text === undefined ? undefined : { path: `/${CONFIG}`, text };
  using host = other === undefined ? undefined : new RootReader({ root: "/" });
  const file = other ?? own;
  const include = (pattern: string): readonly ConfigFile[] => (host ?? reader).files(pattern);
  const config = file === undefined ? undefined : parsePacmanConfig(file, include);
  return {
    root: place.root,
    repositories: config?.repositories ?? [],
    signatureLevel: config?.signatureLevel,
    fileSignatureLevel: config?.fileSignatureLevel,
    architecture: config?.architecture,
    ignored: config?.ignored ?? [],
    ignoredGroups: config?.ignoredGroups,
    downloadUser: config?.downloadUser,
    keptFiles: config?.keptFiles,
    leftOutFiles: config?.leftOutFiles,
    ...(place.var === undefined
      ? {}
      : {
          databaseFolder: `${place.var}/lib/pacman`,
          cacheFolder: `${place.var}/cache/pacman/pkg`,
        }),
    ...(place.etc === undefined ? {} : { gpgFolder: `${place.etc}/pacman.d/gnupg` }),
  };
}

class RootReader implements Disposable {
  readonly #root: RootFolder;
  readonly #etc: RootFolder | undefined;

  constructor({ root, etc }: PackageRoot) {
    this.#root = RootFolder.open(root);
    this.#etc = etc === undefined ? undefined : RootFolder.open(etc);
  }

  text(path: string): string | undefined {
    const [folder, rest] = this.#at(path);
    return folder.readText(rest);
  }

  /** The files of a path or a glob; that of a single file must be there. */
  files(pattern: string): readonly ConfigFile[] {
    const path = pattern.replace(/^\/+/, "");
    if (!/[*?[]/.test(path)) {
      const text = this.text(path);
      if (text !== undefined) return [{ path: `/${path}`, text }];
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot use "/${CONFIG}": it includes "${pattern}", which is not there`,
      });
    }
    const slash = path.lastIndexOf("/");
    const above = path.slice(0, Math.max(slash, 0));
    const glob = new Bun.Glob(path.slice(slash + 1));
    const [folder, rest] = this.#at(above);
    const names = folder.names(rest).filter((name) => glob.match(name));
    return names.sort().flatMap((name) => {
      const text = this.text(`${above}/${name}`);
      return text === undefined ? [] : [{ path: `/${above}/${name}`, text }];
    });
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    this.#etc?.[Symbol.dispose]();
  }

  #at(path: string): [RootFolder, string] {
    const isEtc = this.#etc !== undefined && path.startsWith("etc/");
    return isEtc ? [this.#etc, path.slice(4)] : [this.#root, path];
  }
}
