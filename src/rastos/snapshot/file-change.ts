/** What a name stands for. */
export type FileType = "file" | "folder" | "link" | "device" | "other";

/** What of a file is another one. */
export type FileAspect = "type" | "content" | "target" | "mode" | "owner" | "device" | "attributes";

/** A file that two snapshots do not have in common. */
export interface FileChange {
  /** From the root of the system: `/etc/hostname`; latin1 text of its bytes. */
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** In the second snapshot; of a removed one in the first. */
  readonly type: FileType;
  /** Of a changed one. */
  readonly aspects: readonly FileAspect[];
}
