import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { entryName, identityOf, kernelFolderOf } from "../boot/entry.ts";
import { ensureLoaderConfig } from "../boot/loader-conf.ts";
import { BootMenu, MENU_TIMEOUT, TRIES } from "../boot/menu.ts";
import { fatVolumeIdOf, openBootFiles } from "../boot/target.ts";
import type { BootEntry, BootLoader, BootTarget, EntryIdentity } from "../boot/types.ts";
import { deployFolder } from "../snapshot/layout.ts";
import { isSubvolume, syncFilesystem } from "../snapshot/subvolume.ts";
import { makeClone } from "../snapshot/temporary.ts";
import type { SnapshotTree } from "../snapshot/tree.ts";
import type { Deployment } from "../snapshot/types.ts";
import { sharedFolders } from "../system/shared-folders.ts";
import { carryEtc } from "./carry-etc.ts";
import type { CarriedChange } from "./carry-plan.ts";
import { commandLine } from "./command-line.ts";
import { filesystemUuid } from "./filesystem-uuid.ts";
import { formatFstab, PERSISTENT_SUBVOLUMES } from "./fstab.ts";
import { keepIdentity } from "./identity.ts";
import { type Inheritance, planInheritance } from "./inherit.ts";
import { clearIntent, writeIntent } from "./intent.ts";
import { findKernel, type InstalledKernel } from "./kernel.ts";
import {
  type DeployPlace,
  dropDeployments,
  recordDefault,
  recoverDeployments,
  subvolumeOf,
} from "./recover.ts";
import { unneededDeployments } from "./retention.ts";

/** What is deployed, and where to. */
export interface DeployOptions {
  /** N. */
  readonly snapshot: number;
  readonly target: BootTarget;
  /** Default: GRUB too, where its configuration is ours already; systemd-boot always. */
  readonly loader?: BootLoader | undefined;
  /** Boots in which it has to be blessed; 0: it is good at once. Default 3. */
  readonly tries?: number | undefined;
  /** Further words for the kernel, in the place of those in etc/kernel/cmdline. */
  readonly cmdline?: string | undefined;
  /** Seconds for which the menu is shown; default: as it is. */
  readonly timeout?: number | undefined;
  /** Version or package of the kernel, where there are several. Default: the newest. */
  readonly kernel?: string | undefined;
  /** Good deployments that are kept beside the new one. Default 3. */
  readonly keep?: number | undefined;
  /** The deployment that is running. */
  readonly booted?: number | undefined;
  /** Takes what was changed by hand in /etc along. Default: yes. */
  readonly carriesEtc?: boolean | undefined;
  /** Modules that the initial ram disk gets besides the usual ones. */
  readonly modules?: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
}

/** What a deployment would be, and would cost. */
export interface DeploymentPlan {
  readonly snapshot: number;
  readonly entry: string;
  readonly subvolume: string;
  readonly kernelVersion: string;
  readonly bootBytes: number;
  readonly freeBytes: number;
  /** Deployments that would be removed at the end. */
  readonly removes: readonly string[];
  /** The deployment that it would take the place of. */
  readonly before: string | undefined;
  /** What would become of what was changed by hand in /etc. */
  readonly etc: readonly CarriedChange[];
  /** Folders in which the deployment before has what the new one will not have; absolute. */
  readonly leftBehind: readonly string[];
}

/** A deployment that was made. */
export interface MadeDeployment extends Deployment {
  /** The one that it takes the place of. */
  readonly before: string | undefined;
  readonly etc: readonly CarriedChange[];
  readonly leftBehind: readonly string[];
}

/** What is left free on the boot partition: entries, counters, a loader's update. */
const BOOT_RESERVE_BYTES = 2 * 1024 * 1024;
const KEEP = 3;

/** What {@link deploySnapshot} would do; nothing is changed. @throws {Fault} as it does */
export async function planDeployment(
  tree: SnapshotTree,
  options: DeployOptions,
): Promise<DeploymentPlan> {
  const place = openPlace(tree, options);
  const { kernel, bytes } = await readBoot(tree, options);
  const bootBytes = bytes.kernel.length + bytes.initrd.length;
  const freeBytes = place.menu.files.freeBytes();
  checkBootSpace(place, options, bootBytes);
  const identity = { snapshot: options.snapshot, deployment: nextNumber(place) };
  const { before, carry, leftBehind } = planInheritance(tree, options);
  return {
    snapshot: options.snapshot,
    entry: entryName(identity),
    subvolume: subvolumeOf(identity),
    kernelVersion: kernel.version,
    bootBytes,
    freeBytes,
    removes: unneeded(place, options).map(({ entry }) => entry),
    before: before?.entry,
    etc: carry.changes,
    leftBehind,
  };
}

/**
 * Makes a writable clone of a snapshot and has it boot next: the clone first, then its kernel and
 * initial ram disk, and its boot entry last, which is the moment from which it counts. What boots
 * now stays until then, and stays as the one to fall back to. Deployments that nobody needs are
 * removed after that.
 *
 * @throws {Fault} E_NOT_FOUND (snapshot, kernel), E_NO_SPACE before anything is changed, E_IO
 */
export async function deploySnapshot(
  tree: SnapshotTree,
  options: DeployOptions,
): Promise<MadeDeployment> {
  const place = openPlace(tree, options);
  recoverDeployments(place);
  const { kernel, bytes } = await readBoot(tree, options);
  checkBootSpace(place, options, bytes.kernel.length + bytes.initrd.length);
  const inheritance = planInheritance(tree, options);
  tree.reserve(0);
  const identity = takeNumber(place, options.snapshot);
  writeIntent(tree.root, { kind: "deploy", ...identity });
  let deployment: Deployment;
  let etc: readonly CarriedChange[];
  try {
    makeClone(tree.root, identity.snapshot, join(tree.root, subvolumeOf(identity)));
    etc = await inherit(tree, identity, inheritance);
    deployment = finishDeployment(tree, options, { identity, kernel, fstab: inheritance.fstab });
    putBoot(place, options, { identity, bytes });
  } catch (error) {
    undoQuietly(place);
    throw error;
  }
  recordDefault(place);
  clearIntent(tree.root);
  removeDeployments(place, unneeded(place, options));
  const made = tree.state.deployments.find(({ id }) => id === deployment.id) ?? deployment;
  const { before, leftBehind } = inheritance;
  return { ...made, before: before?.entry, etc, leftBehind };
}

/** The kernel and its initial ram disk, and the entry once they are on the disk. */
function putBoot(
  place: DeployPlace,
  options: DeployOptions,
  made: { readonly identity: EntryIdentity; readonly bytes: BootBytes },
): void {
  const { files } = place.menu;
  const folder = kernelFolderOf(made.identity);
  files.write(`${folder}/vmlinuz`, made.bytes.kernel);
  files.write(`${folder}/initrd`, made.bytes.initrd);
  ensureLoaderConfig(files, options.timeout);
  files.sync();
  place.menu.put(entryOf(place, options, made.identity));
  if (options.loader === "grub") place.menu.refreshGrub(options.timeout ?? MENU_TIMEOUT);
}

/** What cannot be undone now is undone by the next run: it is written down. */
function undoQuietly(place: DeployPlace): void {
  try {
    recoverDeployments(place);
  } catch {
    // The failure that brought us here is the one to report.
  }
}

/** Removes deployments in one undertaking that survives a crash. */
export function removeDeployments(
  place: DeployPlace,
  deployments: readonly Pick<Deployment, "id">[],
): void {
  if (deployments.length === 0) return;
  const ids = deployments.map(({ id }) => id);
  writeIntent(place.tree.root, { kind: "remove", deployments: ids });
  dropDeployments(place, ids);
  recordDefault(place);
  clearIntent(place.tree.root);
}

function openPlace(tree: SnapshotTree, options: Pick<DeployOptions, "target">): DeployPlace {
  return { tree, menu: new BootMenu(openBootFiles(options.target)) };
}

interface BootBytes {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

/** The kernel and the initial ram disk of a snapshot; the latter is built where it has none. */
async function readBoot(
  tree: SnapshotTree,
  options: DeployOptions,
): Promise<{ readonly kernel: InstalledKernel; readonly bytes: BootBytes }> {
  tree.snapshot(options.snapshot);
  const path = tree.pathsOf(options.snapshot).root;
  using root = RootFolder.open(path);
  const kernel = findKernel(root, options.kernel);
  const own = kernel.initrd === undefined ? undefined : root.read(kernel.initrd);
  return {
    kernel,
    bytes: {
      kernel: root.read(kernel.image) ?? new Uint8Array(0),
      initrd: own ?? (await buildOwn(path, kernel, options)),
    },
  };
}

async function buildOwn(
  root: string,
  kernel: InstalledKernel,
  options: DeployOptions,
): Promise<Uint8Array> {
  const { buildInitramfs } = await import("../boot/initramfs.ts");
  const modules = options.modules ?? [];
  return (await buildInitramfs({ root, kernelVersion: kernel.version, modules })).bytes;
}

function checkBootSpace(place: DeployPlace, options: DeployOptions, bytes: number): void {
  const { files } = place.menu;
  const freeBytes = files.freeBytes();
  const neededBytes = bytes + BOOT_RESERVE_BYTES;
  if (freeBytes >= neededBytes) return;
  const removable = unneeded(place, { ...options, keep: 1 }).map(({ entry }) => entry);
  throw new Fault({
    code: "E_NO_SPACE",
    message:
      `Cannot deploy snapshot ${options.snapshot}: "${files.shown}" has ` +
      `${formatBytes(freeBytes)} left, and ${formatBytes(neededBytes)} are needed`,
    hint:
      removable.length === 0
        ? "make the boot partition larger; every deployment on it is still needed"
        : `rastos boot remove ${removable.join(" ")} makes room`,
    details: { freeBytes, neededBytes, removable },
  });
}

/** Only of those on this boot partition: what another one leads to is not for us to remove. */
function unneeded({ tree, menu }: DeployPlace, options: DeployOptions): readonly Deployment[] {
  const { snapshots, deployments } = tree.state;
  const next = menu.next();
  const names = new Set(menu.entries().map(({ name }) => name));
  return unneededDeployments({
    deployments: deployments.filter(({ entry }) => names.has(entry)),
    booted: options.booted,
    next: next === undefined ? undefined : identityOf(next.name)?.deployment,
    pinnedSnapshots: new Set(snapshots.filter(({ isPinned }) => isPinned).map(({ id }) => id)),
    keep: options.keep ?? KEEP,
  });
}

/** K: above all that the state, the folders and the boot partition know of. */
function nextNumber({ tree, menu }: DeployPlace): number {
  const folder = deployFolder(tree.root);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const used = [
    ...names.map((name) => Number(/^deploy-\d+-(\d+)$/.exec(name)?.[1] ?? 0)),
    ...menu.entries().map(({ name }) => identityOf(name)?.deployment ?? 0),
  ];
  return Math.max(1, tree.state.nextDeployment, ...used.map((id) => id + 1));
}

function takeNumber(place: DeployPlace, snapshot: number): EntryIdentity {
  const deployment = nextNumber(place);
  place.tree.update((state) => ({ ...state, nextDeployment: deployment + 1 }));
  return { snapshot, deployment };
}

/** What the clone takes over from the deployment before it. */
async function inherit(
  tree: SnapshotTree,
  identity: EntryIdentity,
  { before, carry, declaration }: Inheritance,
): Promise<readonly CarriedChange[]> {
  if (before === undefined) return [];
  const path = join(tree.root, subvolumeOf(identity));
  const mine = join(tree.root, before.subvolume);
  const shared = sharedFolders(tree.root);
  const etc = await carryEtc(carry, { root: path, mine: join(mine, "etc"), declaration, shared });
  using root = RootFolder.open(path);
  using from = RootFolder.open(mine);
  keepIdentity(from, root);
  return etc;
}

/** The clone with its fstab, on the disk and in the state. */
function finishDeployment(
  tree: SnapshotTree,
  options: DeployOptions,
  made: {
    readonly identity: EntryIdentity;
    readonly kernel: InstalledKernel;
    readonly fstab: string | undefined;
  },
): Deployment {
  const { identity, kernel } = made;
  const subvolume = subvolumeOf(identity);
  using root = RootFolder.open(join(tree.root, subvolume));
  root.writeFile(
    "etc/fstab",
    formatFstab(made.fstab ?? root.readText("etc/fstab") ?? "", {
      uuid: filesystemUuid(tree.root),
      subvolume,
      persistent: PERSISTENT_SUBVOLUMES.filter(({ name }) => isSubvolume(join(tree.root, name))),
      espId: fatVolumeIdOf(options.target),
    }),
  );
  syncFilesystem(tree.root);
  const deployment: Deployment = {
    id: identity.deployment,
    snapshot: identity.snapshot,
    subvolume,
    entry: entryName(identity),
    state: "new",
    createdMs: (options.clock ?? Date.now)(),
    kernelVersion: kernel.version,
  };
  tree.update((state) => ({ ...state, deployments: [...state.deployments, deployment] }));
  return deployment;
}

function entryOf(
  { tree, menu }: DeployPlace,
  options: DeployOptions,
  identity: EntryIdentity,
): BootEntry {
  const subvolume = subvolumeOf(identity);
  const folder = `/${kernelFolderOf(identity)}`;
  const { description } = tree.snapshot(identity.snapshot);
  using root = RootFolder.open(join(tree.root, subvolume));
  const extra = options.cmdline ?? root.readText("etc/kernel/cmdline") ?? "";
  const about = description === "" ? "" : `: ${description.slice(0, 60)}`;
  const tries = options.tries ?? TRIES;
  return {
    name: entryName(identity),
    title: `rastOS ${identity.snapshot}-${identity.deployment}${about}`,
    version: menu.nextVersion(),
    kernel: `${folder}/vmlinuz`,
    initrd: `${folder}/initrd`,
    options: commandLine({ uuid: filesystemUuid(tree.root), subvolume, extra }),
    triesLeft: tries === 0 ? undefined : tries,
    triesDone: 0,
  };
}
