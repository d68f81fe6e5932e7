import { S } from "../../../ffi/abi/constants.ts";
import { noteListingError } from "../engine/entries.ts";
import { noteAllBut, settleReplacements } from "../engine/extraneous.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { keepStatus } from "../engine/metadata.ts";
import type { Thread } from "../engine/thread.ts";
import { finishAttributes, listTarget, noteTarget, planFolder } from "../engine/walk.ts";
import { frameFlag, needKind } from "../wire/frame.ts";
import { BaseRequests, keepBase } from "./base-requests.ts";
import { broken } from "./check.ts";
import { type Decision, decideEntry } from "./decide.ts";
import { chooseFirst, linkOthers } from "./link-names.ts";
import {
  EntryReader,
  entryBit,
  type LinkedName,
  Payload,
  readFolderHead,
  readLinks,
} from "./manifest.ts";
import { PlainEntries } from "./plain-entries.ts";
import { awaited, awaitedState, ReceivedFolder } from "./received-folder.ts";
import type { Receiver } from "./receiver.ts";
import { hasArrived } from "./settle.ts";
import { mayStage, publishStaged } from "./staged-folder.ts";
import { readXattrBlob } from "./xattr-blob.ts";

const allFlags =
  frameFlag.more | frameFlag.incomplete | frameFlag.holder | frameFlag.first | frameFlag.zstd;

/** More entries than fit into the payload of a frame. */
const frameEntriesMax = 65_536;

/** So many entries are decided before the clock is looked at. */
const entriesPerLook = 64;

/** Takes in what the source lists, decides about it, and asks for what is missing. */
export class FolderIntake {
  readonly #r: Receiver;
  readonly #t: Thread;
  readonly #reader = new EntryReader();
  readonly #bases: BaseRequests;
  readonly #plain: PlainEntries;
  readonly #offsets = new Uint32Array(frameEntriesMax);
  readonly #states = new Uint8Array(frameEntriesMax);
  /** Files of several names that are under way, by the name that leads them. */
  readonly #linked = new Map<string, ReceivedFolder>();

  constructor(receiver: Receiver) {
    this.#r = receiver;
    this.#t = receiver.t;
    this.#bases = new BaseRequests(receiver);
    this.#plain = new PlainEntries(receiver.t);
  }

  /** A FOLDER frame. */
  takeFolder(id: number, flags: number, length: number): void {
    const r = this.#r;
    if ((flags & ~allFlags) !== 0) broken("a folder with unknown marks");
    const payload = this.#payload(length);
    const isFirst = (flags & frameFlag.first) !== 0;
    const isLast = (flags & frameFlag.more) === 0;
    let folder = r.open.get(id);
    let at = 0;
    if (isFirst === (folder !== undefined)) broken("a folder that begins twice, or never");
    if (folder === undefined) {
      r.checkOpen();
      const isHolder = (flags & frameFlag.holder) !== 0;
      ({ folder, at } = this.#begin(id, payload, { isHolder, isLast }));
      r.open.set(id, folder);
    } else if (folder.isListed) broken("more of a folder that was at its end");
    if ((flags & frameFlag.incomplete) !== 0) folder.isIncomplete = true;
    if (folder.node !== undefined) this.#t.root = folder.node.root;
    r.needs.begin(id);
    this.#entries(folder, payload, at, isLast);
    folder.isListed = isLast;
    if (isLast) this.#compareListings(folder, payload, at);
    r.needs.end(isLast);
    r.socket.consume(length);
    r.finishIfComplete(folder);
    r.failIfCancelled();
  }

  /** The payload at hand, in the stream's own memory: it keeps its place until it is consumed. */
  #payload(length: number): Payload {
    const { socket } = this.#r;
    this.#r.must(socket.need(length));
    const start = socket.inputOffset;
    return new Payload(socket.input.bytes.subarray(start, start + length));
  }

  #begin(
    id: number,
    payload: Payload,
    marks: { readonly isHolder: boolean; readonly isLast: boolean },
  ): { folder: ReceivedFolder; at: number } {
    const r = this.#r;
    const t = this.#t;
    const head = readFolderHead(payload);
    const { root, path, status, xattrs, end: at } = head;
    t.shared.note(t.index, path);
    if (marks.isHolder) {
      if (path !== "") broken("an entry below a folder that there is not");
      const node = r.folders.holder(root);
      t.root = root;
      if (node.targetFd >= 0) this.#look(node);
      const { targetName } = r.folders.root(root);
      return { folder: new ReceivedFolder({ id, node, targetName }), at };
    }
    t.root = root;
    r.handOver.status(status, 0);
    const kept = keepStatus(t.source);
    const opened = r.folders.open(root, path, () => {
      return marks.isLast && mayStage(t, this.#reader, payload, at);
    });
    const node = opened !== undefined && this.#mayFollow(opened) ? opened : undefined;
    if (node !== undefined) {
      node.status = kept;
      this.#look(node);
    }
    return { folder: new ReceivedFolder({ id, node, status, xattrs }), at };
  }

  /** What has to be known of a target folder before anything is put into it. */
  #look(node: FolderNode): void {
    const t = this.#t;
    if (node.targetFd < 0 || this.#r.isSettling) return;
    noteTarget(t, node, undefined);
    if (node.targetStatus !== undefined) this.#r.folders.devices.note(node);
    if (!node.isNew || t.isDry) listTarget(t, node);
  }

  /** At the end of a move nothing leaves the source that the target's disk may not have yet. */
  #mayFollow(node: FolderNode): boolean {
    const { isSettling, folders } = this.#r;
    if (!isSettling || node.targetFd < 0 || folders.devices.isSynced(node)) return true;
    closeFolder(node);
    return false;
  }

  #entries(folder: ReceivedFolder, payload: Payload, from: number, isLast: boolean): void {
    const t = this.#t;
    const { node } = folder;
    const reader = this.#reader;
    const wantsNames = !isLast && (node?.targetEntries ?? -1) >= 0;
    const passes = !wantsNames && this.#mayPass(folder);
    const states = this.#states;
    let at = from;
    let count = 0;
    while (at < payload.length) {
      if (passes && node !== undefined) {
        at = this.#plain.pass(node, payload, at, entriesPerLook);
        const { passed } = this.#plain;
        states.fill(0, count, count + passed);
        count += passed;
        if (passed > 0) this.#r.between();
        if (passed === entriesPerLook || at >= payload.length) continue;
      }
      const offset = at;
      at = reader.read(payload, offset);
      this.#offsets[count] = offset;
      const index = folder.entries + count;
      states[count] = node === undefined ? 0 : this.#entry(folder, node, payload, index);
      if (wantsNames) {
        folder.names ??= new Set();
        folder.names.add(payload.text(reader.nameOffset, reader.nameLength));
      }
      if (++count % entriesPerLook === 0) this.#r.between();
    }
    if (t.replacements.length > 0) {
      folder.isLate = true;
      settleReplacements(t);
    }
    this.#r.kept(folder.keep(payload, count, this.#offsets, states), count);
  }

  /** Whether entries that are plainly unchanged may be passed over. */
  #mayPass({ node, targetName }: ReceivedFolder): boolean {
    if (node === undefined || targetName !== undefined || this.#r.isSettling) return false;
    return this.#plain.mayPass(node);
  }

  /** Decides about one entry, which the reader is at. Returns its state for ReceivedFolder. */
  #entry(folder: ReceivedFolder, node: FolderNode, payload: Payload, index: number): number {
    const r = this.#r;
    const t = this.#t;
    const reader = this.#reader;
    r.handOver.entry(payload, reader);
    const { type, bits } = reader;
    if ((bits & entryBit.listedOnly) !== 0) {
      this.#match(node);
      return 0;
    }
    const { targetName } = folder;
    if (r.isSettling) {
      const has = hasArrived(t, node, { ...this.#view(targetName), stays: r.stays[node.root] });
      if (has) r.needs.add(index, needKind.arrived);
      return 0;
    }
    const isLinked = (bits & entryBit.linked) !== 0 && !node.takesLinked && !t.isDry;
    if (type === S.IFDIR || isLinked) folder.isLate = true;
    if (type === S.IFDIR || (isLinked && type === S.IFREG)) {
      this.#match(node);
      return 0;
    }
    const decision = decideEntry(t, node, this.#view(targetName));
    return this.#ask(folder, node, index, decision);
  }

  #view(targetName: string | undefined) {
    const { type, linkLength } = this.#reader;
    const isOwn = targetName === undefined || targetName === this.#t.entryName();
    return { type, linkLength, targetName: isOwn ? undefined : targetName };
  }

  /** Counts an entry that both sides have, where a mirror wants to know. */
  #match(node: FolderNode): void {
    if (node.targetEntries < 0) return;
    if (this.#t.statAt(node.targetFd, this.#t.entryPointer, this.#t.other) === 0) node.matched++;
  }

  #ask(folder: ReceivedFolder, node: FolderNode, index: number, decision: Decision): number {
    const { needs } = this.#r;
    switch (decision) {
      case "settled":
      case "failed":
        return 0;
      case "attributes":
        needs.add(index, needKind.attributes);
        return awaitedState(awaited.attributes);
      case "content":
      case "replacingContent": {
        const replaces = decision === "replacingContent";
        const base = this.#bases.forContent(node, folder.targetName, replaces);
        const bits = replaces ? awaited.replaces : 0;
        if (base === undefined) {
          needs.add(index, needKind.whole);
          return awaitedState(bits);
        }
        keepBase(folder, index, base);
        needs.addWithHashes(index, needKind.whole, base.request);
        return awaitedState(bits | (base.isPart ? awaited.fromPart : 0));
      }
      case "comparedContent": {
        const base = this.#bases.forComparison(node, folder.targetName);
        if (base === undefined) {
          needs.add(index, needKind.whole);
          return awaitedState(awaited.replaces);
        }
        keepBase(folder, index, base);
        needs.addWithHashes(index, needKind.unlessEqual, base.request);
        return awaitedState(awaited.replaces | awaited.mayBeEqual);
      }
    }
  }

  /** Notes what a mirror has to delete: only where all that the source has is known. */
  #compareListings(folder: ReceivedFolder, payload: Payload, from: number): void {
    const t = this.#t;
    const { node } = folder;
    if (folder.isIncomplete && folder.targetName === undefined) noteListingError(t);
    if (node === undefined || node.targetEntries < 0 || folder.isIncomplete) return;
    if (this.#r.isSettling || node.takesLinked || node.matched >= node.targetEntries) return;
    const names = folder.names ?? new Set<string>();
    const reader = this.#reader;
    for (let at = from; at < payload.length; ) {
      at = reader.read(payload, at);
      names.add(payload.text(reader.nameOffset, reader.nameLength));
    }
    const before = t.extraneous.length;
    noteAllBut(t, node, names);
    if (t.extraneous.length > before) folder.isLate = true;
  }

  /**
   * The pass is over, or the stream has broken: of what was under way the whole files stay. That
   * may be noticed late, when the next run has brought newer ones: these stay as they are.
   */
  abandon(open: Iterable<ReceivedFolder>): void {
    this.#linked.clear();
    for (const { node } of open) {
      if (node === undefined) continue;
      publishStaged(this.#t, node, "keep");
      closeFolder(node);
    }
  }

  /** A LINKS frame: a file and its names. */
  takeLinks(id: number, length: number): void {
    const r = this.#r;
    const t = this.#t;
    const payload = this.#payload(length).copy();
    r.socket.consume(length);
    if (r.open.has(id)) broken("names of a file under a number that is in use");
    r.checkOpen();
    const { type, xattrs, members } = readLinks(payload);
    r.needs.begin(id);
    r.handOver.status(payload.bytes, 0);
    t.received = xattrs;
    if (this.#joinsFormer(id, members)) return;
    const wants = !t.isDry && !r.isSettling;
    const { node, links, isSettled } = wants
      ? chooseFirst(t, r.folders, members)
      : { node: undefined, links: [], isSettled: true };
    const folder = new ReceivedFolder({ id, node });
    folder.links = links;
    folder.isListed = true;
    folder.firstName = nameKey(members[0]);
    this.#linked.set(folder.firstName, folder);
    r.open.set(id, folder);
    if (node !== undefined) {
      t.root = node.root;
      t.setEntry(links[0]?.name ?? "");
      const entry = { type, targetName: undefined, linkLength: 0 };
      const isThere = isSettled || type !== S.IFREG;
      const decision = isThere ? "settled" : decideEntry(t, node, entry);
      settleReplacements(t);
      folder.hasFailed = decision === "failed";
      const state = this.#ask(folder, node, 0, decision);
      r.kept(folder.keep(payload, 1, new Uint32Array(1), Uint8Array.of(state)), 1);
    }
    r.needs.end(true);
    r.finishIfComplete(folder);
    r.failIfCancelled();
  }

  /** A file of very many names comes in parts, which the same name leads. */
  #joinsFormer(id: number, members: readonly LinkedName[]): boolean {
    const former = this.#linked.get(nameKey(members[0]));
    if (former?.links === undefined || former.links.length === 0) return false;
    for (const member of members.slice(1)) former.links.push(member);
    this.#r.needs.begin(id);
    this.#r.needs.end(true);
    return true;
  }

  /** Everything that came for a folder is in place. */
  finish(folder: ReceivedFolder): void {
    const r = this.#r;
    const t = this.#t;
    if (folder.firstName !== undefined) this.#linked.delete(folder.firstName);
    const { node, status, xattrs } = folder;
    if (node === undefined) return;
    t.root = node.root;
    publishStaged(t, node, "replace");
    if (node.unpublished !== undefined) {
      closeFolder(node);
      return;
    }
    if (folder.links !== undefined) {
      linkOthers(t, r.folders, { node, links: folder.links, hasFailed: folder.hasFailed });
    } else if (node.status !== undefined && !r.isSettling) {
      t.received = readXattrBlob(xattrs);
      if (t.isDry) {
        if (t.options.purpose === "plan") planFolder(t, node);
      } else if (folder.isLate) {
        const { root, path, isNew } = node;
        r.late.add({ root, path, status, xattrs, isNew });
      } else finishAttributes(t, node, node.status);
    }
    closeFolder(node);
  }
}

/** A staged folder's parent is open for its sake. */
function closeFolder(node: FolderNode): void {
  node.parent?.close();
  node.close();
}

function nameKey(name: LinkedName | undefined): string {
  return name === undefined ? "" : `${name.root}:${name.folder}/${name.name}`;
}
