/** fstab(5) of a deployment. Pure. */

/** A subvolume of the top level that all deployments share. */
export interface PersistentSubvolume {
  /** Of the top level. */
  readonly name: string;
  readonly mountPoint: string;
}

/** Subvolumes that are shared where they exist. */
export const PERSISTENT_SUBVOLUMES: readonly PersistentSubvolume[] = [
  { name: "home", mountPoint: "/home" },
  { name: "root", mountPoint: "/root" },
  { name: "srv", mountPoint: "/srv" },
  { name: "log", mountPoint: "/var/log" },
];

/** What the fstab of a deployment says. */
export interface FstabContent {
  /** UUID of the btrfs. */
  readonly uuid: string;
  /** Of the deployment's root, from the top level. */
  readonly subvolume: string;
  readonly persistent: readonly PersistentSubvolume[];
  /** Serial number of the boot partition's FAT, where it is known. */
  readonly espId: string | undefined;
}

const BEGIN = "# Written by rastos for this deployment: changes up to the end mark are lost.";
const END = "# End of the lines that rastos wrote.";
/** Where the boot partition is mounted. */
export const ESP_MOUNT = "/efi";

/**
 * An fstab with the lines of rastOS, and below them those of the snapshot that are about other
 * places: swap, data disks, network folders.
 */
export function formatFstab(old: string, content: FstabContent): string {
  const { uuid, subvolume, persistent, espId } = content;
  const line = (mountPoint: string, name: string): string =>
    `UUID=${uuid} ${mountPoint} btrfs rw,noatime,subvol=${name} 0 0`;
  const esp = `UUID=${espId} ${ESP_MOUNT} vfat rw,noatime,umask=0077,nofail 0 2`;
  const own = [
    line("/", subvolume),
    ...persistent.map(({ name, mountPoint }) => line(mountPoint, name)),
    ...(espId === undefined ? [] : [esp]),
  ];
  return withBlock([BEGIN, ...own, END], restOf(old, own));
}

/**
 * Whether somebody has changed the fstab of a deployment: the lines that are not ours are not those
 * that it was made with.
 *
 * @param original the snapshot's
 * @param own the deployment's
 */
export function isFstabEdited(original: string | undefined, own: string | undefined): boolean {
  if (own === undefined) return false;
  const block = blockOf(own);
  return restOf(own, block) !== restOf(original ?? "", block);
}

/** A deployment's fstab with the further lines of its snapshot, as it was in the beginning. */
export function resetFstab(original: string | undefined, own: string): string {
  const block = blockOf(own);
  return withBlock(block, restOf(original ?? "", block));
}

function withBlock(block: readonly string[], rest: string): string {
  return `${[...block, ...(rest === "" ? [] : [rest])].join("\n")}\n`;
}

/** The lines that are not ours and that are about places which ours are not about. */
function restOf(text: string, block: readonly string[]): string {
  const places = new Set(block.map((line) => line.split(" ")[1]));
  const kept = withoutOwn(text.split("\n")).filter((line) => {
    const [source = "", mountPoint] = line.trim().split(/\s+/);
    return source === "" || source.startsWith("#") || !places.has(mountPoint);
  });
  return kept.join("\n").trim();
}

function blockOf(text: string): string[] {
  const lines = text.split("\n");
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END);
  return begin < 0 || end < begin ? [] : lines.slice(begin, end + 1);
}

function withoutOwn(lines: readonly string[]): string[] {
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END);
  if (begin < 0 || end < begin) return [...lines];
  return [...lines.slice(0, begin), ...lines.slice(end + 1)];
}
