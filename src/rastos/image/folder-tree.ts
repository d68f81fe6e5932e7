import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { Attribute, FolderNode, Nanoseconds, Status, TreeNode } from "./btrfs/model.ts";

/** Whose a file is, and its permission bits. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly permissions: number;
}

/** How a folder is read. */
export interface FolderOptions {
  /** The latest time that anything gets; later ones become this one. */
  readonly latest?: Nanoseconds | undefined;
  /**
   * Whose things are in the image.
   *
   * @param path from the folder's root, without a slash in front; bytes as latin1
   */
  readonly owner?: (path: string, found: Ownership) => Ownership;
  /** Leaves a path out, with all that is below. */
  readonly isLeftOut?: (path: string) => boolean;
}

const ATTRIBUTE_BYTES_MAX = 65_536;

/**
 * Reads a folder, with owners, times, links and extended attributes; symbolic links are kept and
 * not followed. The contents stay where they are, and are read when they are written.
 *
 * @throws {Fault} E_NOT_FOUND, E_IO, E_PRIVILEGE
 */
export function readFolderTree(path: string, options: FolderOptions = {}): FolderNode {
  const reader = new FolderReader(Buffer.from(path).toString("latin1"), options);
  const node = reader.read("");
  if (node?.kind === "folder") return node;
  throw new Fault({ code: "E_REFUSED", message: `Cannot use "${path}": it is no folder` });
}

class FolderReader {
  readonly #base: string;
  readonly #options: FolderOptions;
  readonly #links = new Map<string, TreeNode>();

  constructor(base: string, options: FolderOptions) {
    this.#base = base;
    this.#options = options;
  }

  read(path: string): TreeNode | undefined {
    const full = path === "" ? this.#base : `${this.#base}/${path}`;
    const bytes = Buffer.from(full, "latin1");
    const found = attempt(full, () => lstatSync(bytes, { bigint: true }));
    const id = found.nlink > 1n && !found.isDirectory() ? `${found.dev} ${found.ino}` : undefined;
    const known = id === undefined ? undefined : this.#links.get(id);
    if (known !== undefined) return known;
    const status = this.#status(path, full, found);
    const node = this.#node(path, full, found, status);
    if (id !== undefined) this.#links.set(id, node);
    return node;
  }

  #node(path: string, full: string, found: BigStatus, status: Status): TreeNode {
    if (found.isDirectory()) return { kind: "folder", status, entries: this.#entries(path, full) };
    if (found.isFile()) {
      const content = { kind: "file", path: full, size: Number(found.size) } as const;
      return { kind: "file", status, content };
    }
    if (found.isSymbolicLink()) {
      const bytes = Buffer.from(full, "latin1");
      const target = attempt(full, () => readlinkSync(bytes, { encoding: "buffer" }));
      return { kind: "symlink", status, target: target.toString("latin1") };
    }
    const type = found.isCharacterDevice()
      ? "character"
      : found.isBlockDevice()
        ? "block"
        : found.isFIFO()
          ? "pipe"
          : "socket";
    return { kind: "special", status, type, ...deviceNumbers(found.rdev) };
  }

  #entries(path: string, full: string): Map<string, TreeNode> {
    const bytes = Buffer.from(full, "latin1");
    const names = attempt(full, () => readdirSync(bytes, { encoding: "buffer" }));
    const entries = new Map<string, TreeNode>();
    for (const name of names.map((each) => each.toString("latin1")).sort()) {
      const below = path === "" ? name : `${path}/${name}`;
      if (this.#options.isLeftOut?.(below) === true) continue;
      const node = this.read(below);
      if (node !== undefined) entries.set(name, node);
    }
    return entries;
  }

  #status(path: string, full: string, found: BigStatus): Status {
    const plain: Ownership = {
      uid: Number(found.uid),
      gid: Number(found.gid),
      permissions: Number(found.mode & 0o7777n),
    };
    const { latest, owner } = this.#options;
    const modified = latest !== undefined && found.mtimeNs > latest ? latest : found.mtimeNs;
    const owned = owner?.(path, plain) ?? plain;
    // Links have no attributes of their own that would matter, and all permissions.
    const attributes = found.isSymbolicLink() ? [] : attributesOf(full);
    return { ...owned, modified, attributes };
  }
}

type BigStatus = ReturnType<typeof lstatBig>;

function lstatBig(path: Buffer) {
  return lstatSync(path, { bigint: true });
}

/** As stat(2) packs them (gnu_dev_major(3)). */
function deviceNumbers(device: bigint): { major: number; minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

let memory: { readonly name: Memory; readonly value: Memory; readonly path: Memory } | undefined;

/** Attributes that belong to a file's meaning: those of users, and capabilities. */
function attributesOf(full: string): Attribute[] {
  memory ??= {
    name: new Memory(ATTRIBUTE_BYTES_MAX),
    value: new Memory(ATTRIBUTE_BYTES_MAX),
    path: new Memory(4096),
  };
  const { name, value, path } = memory;
  const bytes = Buffer.from(`${full}\0`, "latin1");
  if (bytes.length > path.bytes.length) return [];
  path.bytes.set(bytes);
  const length = sys.llistxattr(path.pointer, name.pointer, ATTRIBUTE_BYTES_MAX);
  if (length <= 0) return [];
  const names = Buffer.from(name.bytes.subarray(0, length)).toString("latin1").split("\0");
  const attributes: Attribute[] = [];
  for (const each of names.filter(isKept).sort()) {
    name.bytes.set(Buffer.from(`${each}\0`, "latin1"));
    const size = sys.lgetxattr(path.pointer, name.pointer, value.pointer, ATTRIBUTE_BYTES_MAX);
    if (size < 0) continue;
    attributes.push({ name: each, value: Uint8Array.from(value.bytes.subarray(0, size)) });
  }
  return attributes;
}

function isKept(name: string): boolean {
  return (
    name === "security.capability" ||
    name.startsWith("user.") ||
    name === "system.posix_acl_access" ||
    name === "system.posix_acl_default"
  );
}

/** @throws {Fault} */
function attempt<T>(full: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? "";
    const path = Buffer.from(full, "latin1").toString();
    const isForbidden = errno === "EACCES" || errno === "EPERM";
    throw new Fault({
      code: errno === "ENOENT" ? "E_NOT_FOUND" : isForbidden ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
      details: { errno, path },
    });
  }
}
