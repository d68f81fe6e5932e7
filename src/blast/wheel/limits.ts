/**
 * What a wheel may be at most. An archive beyond any of these is refused before anything of it is
 * written: each is far above what is published, and far below what would harm the machine.
 */
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Members of one archive. */
export const MEMBERS_MAX = 400_000;

/** The central directory, which is held in memory as a whole. */
export const DIRECTORY_BYTES_MAX = 64 * MIB;

/** All members together, unpacked. */
export const UNPACKED_BYTES_MAX = 64 * GIB;

/**
 * How many times its own size an archive may unpack to, and what may always be unpacked. A single
 * member may compress better (deflate reaches 1032 to 1), a whole wheel does not.
 */
export const RATIO_MAX = 100;
export const RATIO_FREE_BYTES = 256 * MIB;

/** A member that is read into memory as a whole: METADATA, RECORD, WHEEL. */
export const TEXT_BYTES_MAX = 64 * MIB;

/** A member's path, and one name of it (NAME_MAX of limits.h, in UTF-8 bytes). */
export const PATH_BYTES_MAX = 2048;
export const NAME_BYTES_MAX = 255;

/** Folders above a member: each of them costs a descriptor while its files are written. */
export const DEPTH_MAX = 64;

/** Archives up to this size are read once, into memory; larger ones by windows. */
export const ARCHIVE_IN_MEMORY_BYTES = 4 * MIB;

/** Members are inflated by pieces of this size, so memory stays bounded whatever they hold. */
export const PIECE_BYTES = 1 * MIB;
