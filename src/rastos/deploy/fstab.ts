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
  const places = new Set(own.map((text) => text.split(" ")[1]));
  const kept = withoutOwn(old.split("\n")).filter((text) => {
    const [source = "", mountPoint] = text.trim().split(/\s+/);
    return source === "" || source.startsWith("#") || !places.has(mountPoint);
  });
  const rest = kept.join("\n").trim();
  return `${[BEGIN, ...own, END, ...(rest === "" ? [] : [rest])].join("\n")}\n`;
}

function withoutOwn(lines: readonly string[]): string[] {
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END);
  if (begin < 0 || end < begin) return [...lines];
  return [...lines.slice(0, begin), ...lines.slice(end + 1)];
}
