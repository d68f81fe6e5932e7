import { readFileSync } from "node:fs";
import { Fault } from "../../src/kit/fault/fault.ts";
import { openPackageManager } from "../../src/rastos/package/open.ts";
import type { PackageManager, PackageRootOptions } from "../../src/rastos/package/types.ts";
import {
  makeRepository,
  type PackageSpec,
  type RepositoryOptions,
  type TestRepository,
} from "./pacman-repository.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** An empty root and a repository for it. */
export interface PackageWorld extends Disposable {
  readonly work: Workspace;
  readonly root: string;
  /** Makes the repository, or makes it anew. */
  publish(specs: readonly PackageSpec[], options?: RepositoryOptions): TestRepository;
  /** A package manager of the root with that repository; without signatures by default. */
  manager(kind: PackageManager["kind"], options?: WorldOptions): PackageManager;
}

export type WorldOptions = Partial<PackageRootOptions> & { readonly signal?: AbortSignal };

/** Makes a world in a folder that goes when its scope ends. */
export function makePackageWorld(parent?: string): PackageWorld {
  const work = createWorkspace(parent);
  const root = work.folder("root");
  return {
    work,
    root,
    publish: (specs, options) => makeRepository(work.at("repository"), specs, options),
    manager: (kind, { signal, ...options } = {}) => {
      const repositories = [{ name: "test", servers: [`file://${work.at("repository")}`] }];
      const all = { root, repositories, signatureLevel: "Never", ...options };
      return openPackageManager(all, { kind, signal });
    },
    [Symbol.dispose]: () => work[Symbol.dispose](),
  };
}

/** The fault of what must fail with one. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("Nothing failed");
}

/** A shell and a few programs, in one file that needs no library: for scripts and hooks. */
export function shellPackage(): PackageSpec {
  const binary = readFileSync(Bun.which("busybox") ?? "");
  const names = ["sh", "touch", "echo", "false", "sleep", "["];
  const links = names.map((name) => [`usr/bin/${name}`, { symlink: "busybox" }] as const);
  return {
    name: "busybox",
    version: "1-1",
    files: {
      "usr/bin/busybox": { content: binary, mode: 0o755 },
      bin: { symlink: "usr/bin" },
      tmp: { folder: true, mode: 0o1777 },
      ...Object.fromEntries(links),
    },
  };
}
