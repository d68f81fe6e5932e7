import { FS_CASEFOLD_FL, IOCTL, O, RLIMIT } from "../../../ffi/abi/constants.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { FilterJson } from "../tree/filter.ts";
import { compileFilterJson } from "../tree/filter.ts";
import { type BackupPlace, findBackupPlace, makeBackupFolder } from "./backup-folder.ts";
import type { Comparison, EngineOptions, HugeFileStrategy, Purpose } from "./options.ts";
import {
  closeRoots,
  fileSystemOf,
  forgetMissingParents,
  makeTargetParents,
  type Root,
  resolveRoots,
} from "./roots.ts";
import { SharedState } from "./shared-state.ts";
import { temporaryPrefix } from "./staging.ts";
import { Thread } from "./thread.ts";

/** A transfer as asked for. Paths are latin1 strings. */
export type TransferRequest = {
  readonly command: "copy" | "mirror" | "move";
  readonly purpose: Purpose;
  readonly sources: readonly string[];
  readonly target: string;
  readonly comparison: Comparison;
  readonly ignoreExisting: boolean;
  readonly update: boolean;
  readonly xattrs: boolean;
  readonly owner: boolean;
  readonly specials: boolean;
  readonly filter: FilterJson | undefined;
  readonly backupDir: string | undefined;
  readonly yes: boolean;
  readonly maxDelete: number | undefined;
  readonly allowEmptySource: boolean;
  /** Chosen from what earlier runs measured; undefined = the usual one. */
  readonly chooseStrategy: (sourceFs: string, targetFs: string) => HugeFileStrategy;
};

/** A run that is ready to go: roots open, options fixed, main thread set up. */
export type Prepared = {
  readonly main: Thread;
  readonly roots: readonly Root[];
  readonly backup: BackupPlace | undefined;
  readonly sourceFs: string;
  readonly targetFs: string;
  readonly close: () => void;
  readonly closeFd: (fd: number) => void;
};

/** Opens what the command line names and looks at the file systems. @throws {Fault} */
export function prepare(request: TransferRequest, workerCount: number): Prepared {
  const formerMask = sys.umask(0);
  const shared = SharedState.create(workerCount + 1);
  const main = new Thread(0, baseOptions(request), shared);
  main.newFolderMode = 0o777 & ~formerMask;
  raiseFileLimit();
  let roots: Root[] = [];
  try {
    const { command, sources, target } = request;
    roots = resolveRoots(main, { command, sources, target });
    const { options, sourceFs, targetFs } = completeOptions(main, request, roots);
    main.options = options;
    main.chooseStrategy = () => request.chooseStrategy(sourceFs, targetFs);
    const { backupDir } = request;
    const { dev } = options.targetMount;
    const backup = backupDir === undefined ? undefined : findBackupPlace(main, backupDir, dev);
    main.filter = options.filter === undefined ? undefined : compileFilterJson(options.filter);
    return {
      main,
      roots,
      backup,
      sourceFs,
      targetFs,
      close: () => {
        closeRoots(roots);
        if (backup !== undefined) sys.close(backup.fd);
        sys.umask(formerMask);
      },
      closeFd: (fd) => {
        if (fd >= 0) sys.close(fd);
      },
    };
  } catch (error) {
    closeRoots(roots);
    sys.umask(formerMask);
    throw error;
  }
}

/**
 * Makes the folders that the command line asks for, once nothing speaks against the run: those
 * above the target and the backup folder. A dry run makes none. @throws Fault
 */
export function makeNamedFolders(prepared: Prepared): void {
  const { main, roots } = prepared;
  if (main.isDry) {
    forgetMissingParents(roots);
    return;
  }
  makeTargetParents(main, roots);
  const { backup } = prepared;
  if (backup === undefined) return;
  main.options = { ...main.options, backupFd: makeBackupFolder(main, backup) };
}

function baseOptions(request: TransferRequest): EngineOptions {
  const { command, purpose, comparison, ignoreExisting, update, xattrs, owner, specials } = request;
  return {
    command,
    purpose,
    // A source file is removed for the sake of what the target has: that has to be its content.
    comparison: command === "move" && comparison === "time" ? "checksum" : comparison,
    ignoreExisting,
    update,
    xattrs,
    owner,
    specials: specials && process.geteuid?.() === 0,
    filter: request.filter,
    temporaryPrefix: temporaryPrefix(),
    backupFd: -1,
    backupFolders: [],
    startedAtSec: Math.floor(Date.now() / 1000),
    user: {
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      // getgroups(2) may leave out the effective one.
      groups: [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])],
    },
    timeGrainNs: 1,
    targetFoldsNames: false,
    targetMount: { dev: 0, mntId: 0 },
    hugeFileStrategy: undefined,
    preallocates: false,
    clonesSmallFiles: false,
  };
}

/**
 * Where taking the space first gives long extents. Not btrfs (it turns compression off) and not
 * tmpfs (it clears every page).
 */
export const preallocatingFileSystems: ReadonlySet<string> = new Set(["ext4", "xfs", "f2fs"]);

/**
 * Where a clone of a small file costs less than to write it. Measured on btrfs: 30,000 files of a
 * few KiB take 0.58 of the processor time, with what the kernel's own threads write out later.
 */
const cloningFileSystems: ReadonlySet<string> = new Set(["btrfs"]);

/** Two seconds, as FAT keeps them. */
const fatGrainNs = 2e9;

/** File systems that take names of other case for the same. */
const foldingFileSystems: ReadonlySet<string> = new Set(["vfat", "exfat", "ntfs", "cifs", "smb2"]);

function completeOptions(
  t: Thread,
  request: TransferRequest,
  roots: readonly Root[],
): { options: EngineOptions; sourceFs: string; targetFs: string } {
  const [root] = roots;
  const targetFd =
    root === undefined || root.targetFd >= 0 ? (root?.targetFd ?? -1) : root.targetParentFd;
  const sourceFs = fileSystemOf(t, root?.sourceFd ?? -1);
  const targetFs = fileSystemOf(t, targetFd);
  let timeGrainNs = 1;
  let targetMount = { dev: 0, mntId: 0 };
  if (targetFd >= 0 && t.statFd(targetFd, t.other) === 0) {
    targetMount = { dev: t.other.dev, mntId: t.other.mntId };
    timeGrainNs = grainOf(t, targetFs);
  }
  const options: EngineOptions = {
    ...t.options,
    // A mirror of a single file is a copy: there is no folder to delete from.
    command: request.command === "mirror" && root?.kind === "entry" ? "copy" : request.command,
    backupFolders: roots.map((each) => (each.isBelow ? each.targetName : "")),
    targetMount,
    timeGrainNs,
    targetFoldsNames: foldsNames(t, targetFs, targetFd),
    preallocates: preallocatingFileSystems.has(targetFs),
    clonesSmallFiles: sourceFs === targetFs && cloningFileSystems.has(targetFs),
  };
  return { options, sourceFs, targetFs };
}

/**
 * Steps in which a file system keeps times. One that keeps nanoseconds almost never has a change
 * time (in t.other) without any.
 */
export function grainOf(t: Thread, fileSystem: string): number {
  if (fileSystem === "vfat" || fileSystem === "exfat") return fatGrainNs;
  return t.other.ctimeNsec === 0 && t.other.mtimeNsec === 0 ? 1e9 : 1;
}

/** File systems that are known to keep every name apart, unless a folder says otherwise. */
const exactFileSystems: ReadonlySet<string> = new Set(["ext4", "btrfs", "xfs", "tmpfs", "f2fs"]);

/** Of these, the ones that may have folders that fold case, with all below them (chattr +F). */
const foldableFileSystems: ReadonlySet<string> = new Set(["ext4", "tmpfs", "f2fs"]);

function foldsByFlag(t: Thread, fd: number): boolean {
  const at = t.pointers.statfs;
  if (fd < 0 || sys.ioctl(fd, IOCTL.FS_GETFLAGS, at) !== 0) return false;
  const [flags = 0] = new Uint32Array(t.scratch.buffer, at - t.scratch.pointer, 1);
  return (flags & FS_CASEFOLD_FL) !== 0;
}

/** Whether the target takes different names for one: known, or tried with a file of our own. */
export function foldsNames(t: Thread, fileSystem: string, fd: number): boolean {
  if (foldingFileSystems.has(fileSystem)) return true;
  if (exactFileSystems.has(fileSystem)) {
    return foldableFileSystems.has(fileSystem) && foldsByFlag(t, fd);
  }
  if (fd < 0 || t.isDry) return false;
  const name = t.temporaryName();
  const flags = O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC;
  const probe = sys.openat(fd, t.cTemporary(name), flags, 0o600);
  if (probe < 0) return false;
  sys.close(probe);
  const folds = t.statAt(fd, t.cName(name.toUpperCase()), t.source) === 0;
  sys.unlinkat(fd, t.cTemporary(name), 0);
  return folds;
}

/** Lets the process open as many files as its hard limit allows (setrlimit(2)). */
export function raiseFileLimit(): void {
  const memory = new Memory(4096);
  const values = new BigUint64Array(memory.buffer, 0, 2);
  if (sys.getrlimit(RLIMIT.NOFILE, memory.pointer) !== 0) return;
  const [soft, hard] = values;
  if (soft === undefined || hard === undefined || soft >= hard) return;
  values[0] = hard;
  sys.setrlimit(RLIMIT.NOFILE, memory.pointer);
}
