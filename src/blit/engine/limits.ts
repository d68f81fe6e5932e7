/** Sizes and counts that bound the engine, in one place with the reason for each. */

/** Read in one call, with the file's size still unknown; most files of most trees fit. */
export const smallFileBytes = 256 * 1024;

/** Above this a file is a task of its own with a temporary name, so that a kill loses little. */
export const largeFileBytes = 8 * 1024 * 1024;

/** Above this several threads copy parts of one file. */
export const hugeFileBytes = 64 * 1024 * 1024;

/** Up to here a huge file that is alone is begun without other threads: they take time to start. */
export const aloneFileBytes = 128 * 1024 * 1024;

/** What one thread takes of such a file at a time: the main thread stays awake. */
export const aloneChunkBytes = 4 * 1024 * 1024;

/** What one thread takes of a huge file at a time; small enough for Ctrl-C and progress. */
export const chunkBytes = 16 * 1024 * 1024;

/**
 * One read or write: it stays in the second-level cache. Larger ones gain nothing, and where the
 * kernel allocates them as huge pages they can cost much (docs/decisions/0003-huge-files.md).
 */
export const blockBytes = 256 * 1024;

/** A new folder stays under its temporary name until this much is in it. */
export const stagedBytesMax = 64 * 1024 * 1024;

/** Names handed to another thread at once, out of one folder. */
export const batchNames = 512;

/** Entries of one folder after which the rest may be shared with idle threads. */
export const shareAfterEntries = 2048;

/** How often a file that changes under our hands is copied again. */
export const changedRetries = 3;

/** A thread gives the event loop its turn after this long, milliseconds. */
export const sliceMs = 8;

/** Files newer than this many seconds before the start are checked for change by two stats. */
export const settledSeconds = 2;

/** Issues that are named one by one; the rest is counted. */
export const issuesNamedMax = 100_000;
