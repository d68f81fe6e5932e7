import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import type { SystemState } from "../../src/rastos/snapshot/types.ts";
import { type RunResult, runTool } from "./binary.ts";
import { makeBootableFolder } from "./deploy-world.ts";
import { mountFilesystem } from "./loop-filesystem.ts";
import { makeRepository, type PackageSpec } from "./pacman-repository.ts";

/** A btrfs with a base system, a boot partition's folder and a repository of packages. */
export interface ApplyWorld extends Disposable {
  readonly top: string;
  readonly esp: string;
  /** The folder that packages come from. */
  readonly repository: string;
  /** Writes a system.toml with the repository in it; returns its path. */
  declare(text: string): string;
  /** Runs rastos on it, with its boot partition where `--esp` is known. */
  rastos(...words: readonly string[]): Promise<RunResult>;
  state(): SystemState;
  /** A path in a part of a snapshot: `at(1, "etc/hostname")`. */
  at(snapshot: number, path: string): string;
}

/** Packages of {@link makeApplyWorld}: an editor with a library, a group, a service. */
export const APPLY_PACKAGES: readonly PackageSpec[] = [
  { name: "editor", version: "1.0-1", depends: ["library"], files: { "usr/bin/editor": "1" } },
  { name: "library", version: "1.0-1", files: { "usr/lib/library": "1" } },
  { name: "viewer", version: "1.0-1", depends: ["library"], files: { "usr/bin/viewer": "1" } },
  { name: "web-a", version: "1.0-1", groups: ["web"], files: { "usr/share/web-a": "a" } },
  { name: "web-b", version: "1.0-1", groups: ["web"], files: { "usr/share/web-b": "b" } },
  {
    name: "hello",
    version: "1.0-1",
    files: { "usr/lib/rinit/hello.toml": 'exec = ["/bin/sh", "-c", "sleep 9"]\n' },
  },
];

/** What the world's base system has besides a kernel: a shell for hooks, and accounts. */
function makeBase(folder: string): void {
  makeBootableFolder(folder);
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text, { mode });
  };
  cpSync("/bin/busybox", join(folder, "usr/bin/busybox"));
  for (const name of ["sh", "cat", "echo", "ls", "id", "mkdir", "sleep", "touch", "grep"]) {
    symlinkSync("busybox", join(folder, "usr/bin", name));
  }
  symlinkSync("usr/bin", join(folder, "bin"));
  write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  write("etc/group", "root:x:0:root\nwheel:x:998:\n");
  write("etc/shadow", "root:*:::::::\n", 0o600);
  write("etc/skel/.profile", "# profile\n");
  write("usr/share/zoneinfo/Europe/Berlin", "TZif");
  for (const name of ["dev", "proc", "sys", "run", "tmp", "root"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
}

/** @param work a folder for what is not on the btrfs */
export function makeApplyWorld(work: string): ApplyWorld {
  const disk = mountFilesystem({ kind: "btrfs", sizeBytes: 512 * 1024 * 1024 });
  const top = disk.path;
  const esp = join(work, "esp");
  mkdirSync(esp, { recursive: true });
  const repository = join(work, "repository");
  makeRepository(repository, APPLY_PACKAGES, { name: "test" });
  const folder = join(work, "system");
  makeBase(folder);
  {
    using tree = SnapshotTree.open(top, { command: "test", isNew: true });
    tree.create({ from: folder, description: "base" });
  }
  rmSync(folder, { recursive: true });
  const head = (): string =>
    `[[repositories]]\nname = "test"\nservers = ["file://${repository}"]\nsiglevel = "Never"\n`;
  let declared = 0;
  return {
    top,
    esp,
    repository,
    declare(text) {
      const path = join(work, `system-${declared++}.toml`);
      writeFileSync(path, `${head()}${text}`);
      return path;
    },
    async rastos(...words) {
      const takesEsp = ["apply", "deploy", "rollback", "status"].includes(words[0] ?? "");
      const place = ["--root", top, ...(takesEsp ? ["--esp", esp] : [])];
      // Nobody answers there: no test asks the real one.
      const env = { TRIAD_AUR_URL: "http://127.0.0.1:9" };
      return await runTool("rastos", [...words, ...place], { env });
    },
    state() {
      using tree = SnapshotTree.open(top, { command: "test" });
      return tree.state;
    },
    at(snapshot, path) {
      const [first = ""] = path.split("/");
      const snapshots = join(top, ".snapshots");
      if (first !== "etc" && first !== "var") {
        return join(snapshots, "rootfs", `snapshot-${snapshot}`, path);
      }
      return join(snapshots, first, `${first}-${snapshot}`, path.slice(first.length + 1));
    },
    [Symbol.dispose]: () => disk[Symbol.dispose](),
  };
}
