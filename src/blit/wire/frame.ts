/**
 * The frames of the data plane. Every stream carries them in both directions, whether it is a TCP
 * connection, an encrypted one or a gRPC stream. All numbers are little-endian. What the payloads
 * hold is in docs/concepts/wire.md.
 */

/** Both sides must have the same. */
export const WIRE_VERSION = 2;

/** Bytes of a frame's header: type u8, flags u8, zero u16, id u32, payload length u64. */
export const FRAME_HEADER_BYTES = 16;

/** Of every payload but that of DATA; checked before anything is allocated. */
export const FRAME_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** Of one DATA or PART frame, its 16 bytes of head included. */
export const DATA_PAYLOAD_BYTES_MAX = 16 * 1024 * 1024 + 16;

/** A file that is sent in parts has no more than these, of at most so many bytes each. */
export const PARTS_MAX = 512 * 1024;
export const PART_BYTES_MAX = 16 * 1024 * 1024;
/** A part is a power of two of bytes, and at least this. */
export const PART_BYTES_MIN = 64 * 1024;

/** Of a path below a root. */
export const PATH_BYTES_MAX = 1024 * 1024;

/** Of one entry's name (NAME_MAX of linux/limits.h). */
export const NAME_BYTES_MAX = 255;

/** Of all extended attributes of one entry together. */
export const XATTR_BLOB_BYTES_MAX = 1024 * 1024;

/** How many folders whose NEED is not complete a source may have on one stream. */
export const OPEN_FOLDERS_MAX = 64;

/** How many entries of such folders. */
export const OPEN_ENTRIES_MAX = 16_384;

export const frameType = {
  // Source to target.
  pass: 1,
  folder: 2,
  links: 3,
  files: 4,
  file: 5,
  data: 6,
  reuse: 7,
  fileEnd: 8,
  passEnd: 9,
  part: 10,
  attributes: 11,
  // Target to source.
  need: 20,
  passDone: 21,
  // Either way: nothing to say, still alive.
  alive: 30,
} as const;

export const frameFlag = {
  /** Of folder and need: more of the same id follows. */
  more: 1,
  /** Of folder: the source could not list all of it, so nothing may be deleted in it. */
  incomplete: 2,
  /** Of folder: it only holds a root that is no folder; its entry takes the root's target name. */
  holder: 4,
  /** Of folder, on its first frame: the status and attributes of the folder itself are there. */
  first: 8,
  /** Of data: the payload is compressed with zstd. */
  zstd: 16,
} as const;

/** Of a PASS frame: purpose, three zero bytes, key, wall clock in ms u64. */
export const PASS_BYTES = 4 + 32 + 8;

/** Purposes of a pass as they stand in a PASS frame. */
export const passPurpose = { transfer: 1, plan: 2, count: 3, settle: 4 } as const;

/** What a target wants of an entry. */
export const needKind = {
  /** All of its content. */
  whole: 1,
  /** Its content, unless the hashes that come along are those of the source's content. */
  unlessEqual: 2,
  /** Settle: the target has it; the source may remove it. */
  arrived: 3,
  /** Its extended attributes alone: it may have got others. */
  attributes: 4,
} as const;

/** How an entry's content ended. */
export const fileOutcome = {
  /** Sent, and the status is that of the manifest. */
  same: 0,
  /** Sent; the status that follows is the one that belongs to it. */
  restated: 1,
  vanished: 2,
  failed: 3,
  /** It changed while it was read, also when it was tried again. */
  changed: 4,
  /** As the hashes say: nothing was sent. */
  equal: 5,
} as const;

/** Bytes of a status record: see wire/status.ts. */
export const STATUS_BYTES = 96;
