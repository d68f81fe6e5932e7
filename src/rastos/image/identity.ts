/** The identifiers of an image: derived from what goes in, so new for new contents. */
export interface ImageIdentity {
  /** GUIDs as text with dashes. */
  readonly disk: string;
  readonly biosPartition: string;
  readonly bootPartition: string;
  readonly rootPartition: string;
  readonly filesystem: string;
  readonly device: string;
  readonly chunkTree: string;
  /** Serial number of the FAT file system: eight hexadecimal digits. */
  readonly fatSerial: string;
  /** A UUID for a subvolume. */
  subvolume(name: string): string;
}

/** Identifiers from a seed: the same seed gives the same ones. */
export function imageIdentity(seed: string): ImageIdentity {
  const uuid = (name: string): string => derivedUuid(seed, name);
  return {
    disk: uuid("disk"),
    biosPartition: uuid("bios"),
    bootPartition: uuid("esp"),
    rootPartition: uuid("root"),
    filesystem: uuid("filesystem"),
    device: uuid("device"),
    chunkTree: uuid("chunk tree"),
    fatSerial: digest(seed, "fat").slice(0, 8).toUpperCase(),
    subvolume: (name) => uuid(`subvolume ${name}`),
  };
}

/** A UUID of version 8 (RFC 9562): its bits are what we say. */
function derivedUuid(seed: string, name: string): string {
  const hex = digest(seed, name);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-");
}

function digest(seed: string, name: string): string {
  return new Bun.CryptoHasher("sha256").update(`rastos image\0${seed}\0${name}`).digest("hex");
}
