/** What the times of one thing are, in nanoseconds since 1970: all four of btrfs get this one. */
export type Nanoseconds = bigint;

/** An extended attribute; both parts are bytes, the name as latin1. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
}

/** What every file of a file system has. */
export interface Status {
  /** Permission bits, without the type: 0o755. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Nanoseconds;
  readonly attributes: readonly Attribute[];
}

/** A file's bytes. One object that several files share is stored once. */
export type Content =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The path's bytes as latin1. */
  | { readonly kind: "file"; readonly path: string; readonly size: number };

/** A folder: entries by name; names are bytes, as latin1. */
export interface FolderNode {
  readonly kind: "folder";
  readonly status: Status;
  readonly entries: Map<string, TreeNode>;
}

/** A file. One object under several names of one subvolume is one file with several links. */
export interface FileNode {
  readonly kind: "file";
  readonly status: Status;
  readonly content: Content;
}

/** A symbolic link; the target's bytes as latin1. */
export interface SymlinkNode {
  readonly kind: "symlink";
  readonly status: Status;
  readonly target: string;
}

/** A device, a named pipe or a socket. */
export interface SpecialNode {
  readonly kind: "special";
  readonly status: Status;
  readonly type: "character" | "block" | "pipe" | "socket";
  readonly major: number;
  readonly minor: number;
}

/** A subvolume in a folder of another one. */
export interface SubvolumeNode {
  readonly kind: "subvolume";
  readonly subvolume: Subvolume;
}

/** Whatever a name in a folder may stand for. */
export type TreeNode = FolderNode | FileNode | SymlinkNode | SpecialNode | SubvolumeNode;

/** A subvolume of the new file system. */
export interface Subvolume {
  /** 5 for the top level, others from 256 on. */
  readonly id: number;
  /** As text with dashes. */
  readonly uuid: string;
  /** Of the one that it counts as a snapshot of. */
  readonly parentUuid?: string | undefined;
  readonly isReadOnly: boolean;
  readonly root: FolderNode;
}

/** Bytes of a content. */
export function contentSize(content: Content): number {
  return content.kind === "bytes" ? content.bytes.length : content.size;
}
