import type { EntryRights, EntryStatus } from "../../src/kit/fs/root-folder.ts";
import type { Rights, WritableRoot } from "../../src/rastos/system/root-view.ts";

type Entry = Rights &
  (
    | { readonly kind: "file"; readonly content: Uint8Array }
    | { readonly kind: "link"; readonly target: string }
    | { readonly kind: "folder" }
  );

/** A root in memory, for planners: links are told and not followed. */
export class MemoryRoot implements WritableRoot {
  readonly entries = new Map<string, Entry>();

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, content] of Object.entries(files)) {
      const slash = path.lastIndexOf("/");
      if (slash > 0) this.makeFolder(path.slice(0, slash));
      this.writeFile(path, content);
    }
  }

  read(path: string): Uint8Array | undefined {
    const entry = this.entries.get(path);
    return entry?.kind === "file" ? entry.content : undefined;
  }

  readText(path: string): string | undefined {
    const bytes = this.read(path);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
  }

  readLink(path: string): string | undefined {
    const entry = this.entries.get(path);
    return entry?.kind === "link" ? entry.target : undefined;
  }

  names(path: string): string[] {
    const below = [...this.entries.keys()].filter((key) => key.startsWith(`${path}/`));
    return [...new Set(below.map((key) => key.slice(path.length + 1).split("/")[0] ?? ""))].sort();
  }

  status(path: string): EntryStatus | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined) return undefined;
    const { kind, mode, uid, gid } = entry;
    return { kind, mode, uid, gid, sizeBytes: kind === "file" ? entry.content.length : 0 };
  }

  writeFile(path: string, content: string | Uint8Array, rights: EntryRights = {}): void {
    this.#needsFolder(path);
    const { mode = 0o644, uid = 0, gid = 0 } = { ...this.entries.get(path), ...rights };
    this.entries.set(path, { kind: "file", content: Buffer.from(content), mode, uid, gid });
  }

  writeLink(path: string, target: string): void {
    this.#needsFolder(path);
    this.entries.set(path, { kind: "link", target, mode: 0o777, uid: 0, gid: 0 });
  }

  makeFolder(path: string, rights: EntryRights = {}): void {
    const parts = path.split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth).join("/");
      const { mode = 0o755, uid = 0, gid = 0 } = depth === parts.length ? rights : {};
      if (!this.entries.has(part)) this.entries.set(part, { kind: "folder", mode, uid, gid });
    }
  }

  setRights(path: string, rights: Rights): void {
    const entry = this.entries.get(path);
    if (entry !== undefined) this.entries.set(path, { ...entry, ...rights });
  }

  remove(path: string): void {
    this.entries.delete(path);
  }

  #needsFolder(path: string): void {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, Math.max(slash, 0));
    if (folder !== "" && this.entries.get(folder)?.kind !== "folder") {
      throw new Error(`No folder "${folder}" for "${path}"`);
    }
  }
}
