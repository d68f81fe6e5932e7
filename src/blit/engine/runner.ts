import { errno } from "../../../ffi/errno.ts";
import { type ContentResult, cutShort } from "./content.ts";
import type { HugeFileBegin, HugeFileStart } from "./copy-file.ts";
import { runRemoval } from "./deletion.ts";
import { FolderNode } from "./folder-node.ts";
import {
  closeHugeFile,
  copyNextPart,
  copyParts,
  type HugeFile,
  openHugeFile,
  settleHugeFile,
} from "./huge-file.ts";
import { aloneFileBytes, hugeFileBytes, sliceMs } from "./limits.ts";
import type { ChildDone, Findings, HugeFileHelp, ParentMessage, TaskMessage } from "./messages.ts";
import { hasDefaultAcl } from "./metadata.ts";
import { settleMove } from "./move-settle.ts";
import type { Task, Thread } from "./thread.ts";
import { batchDone, childDone, filesDone, runTask } from "./walk.ts";

/** How a runner reaches the other threads. */
export type RunnerPort = {
  give(tasks: readonly TaskMessage[]): void;
  done(done: ChildDone): void;
  helped(help: HugeFileHelp, result: number): void;
  found(found: Findings): void;
};

/** Answer of a helper that found less in the file than there was when the copy began. */
const helpedCutShort = 1;

/** What is no part of another thread's work, and no end of a run. */
type OrdinaryTask = Exclude<Task, { readonly kind: "help" | "remove" | "settle" }>;

/** Tasks that are given away at once. */
const giftMax = 64;

/**
 * Runs a thread's tasks in slices and shares them with idle threads: the oldest first, since those
 * are nearest to the root and have most below them.
 */
export class Runner {
  readonly thread: Thread;
  readonly #port: RunnerPort;
  readonly #nodes = new Map<number, FolderNode>();
  readonly #files = new Map<number, HugeFile>();
  /** 0 = no end: a worker's slice ends between tasks only. */
  #sliceEnd = 0;
  #shares: boolean;

  constructor(thread: Thread, port: RunnerPort, options: { readonly shares: boolean }) {
    this.thread = thread;
    this.#port = port;
    this.#shares = options.shares;
  }

  /** Whether nothing is left to do here, though folders may wait for other threads. */
  get isIdle(): boolean {
    return this.thread.stack.length === 0;
  }

  /** Folders and files that are open here, waiting for others. */
  get open(): number {
    return this.thread.openNodes + this.#files.size;
  }

  /**
   * Runs tasks for a slice of time. Returns whether some are left. With `stopAtHuge` it ends before
   * a task that would keep the thread from its event loop for long.
   */
  slice(budgetMs = sliceMs, options: { readonly stopAtHuge?: boolean } = {}): boolean {
    const { stack } = this.thread;
    const end = performance.now() + budgetMs;
    this.#sliceEnd = this.#shares ? 0 : end;
    while (stack.length > 0 && performance.now() < end) {
      if (this.#shares) this.#giveToHungry();
      if (options.stopAtHuge === true && isLong(stack.at(-1))) break;
      const task = stack.pop();
      if (task !== undefined) this.#run(task);
      if (this.thread.cancelled) this.#dropTasks();
    }
    this.#flush();
    return stack.length > 0;
  }

  /** What is left, where that is known: undefined with folders that are not listed yet. */
  known(): { readonly entries: number; readonly bytes: number } | undefined {
    let entries = 0;
    let bytes = 0;
    for (const task of this.thread.stack) {
      if (isLong(task) || task.kind === "folder" || task.kind === "walk") return undefined;
      entries += task.kind === "batch" ? task.names.length : 1;
      if (task.kind === "large") bytes += task.dataBytes;
    }
    return { entries, bytes };
  }

  /**
   * Empties the stack, but for its own parts in huge files, for others. Folders that are open here
   * are listed here.
   */
  takeAll(): TaskMessage[] {
    const { stack } = this.thread;
    const helps = stack.filter((task) => task.kind === "help");
    stack.splice(0, stack.length, ...stack.filter((task) => task.kind !== "help"));
    for (let i = stack.length - 1; i >= 0; i--) {
      const [task] = stack[i]?.kind === "walk" ? stack.splice(i, 1) : [];
      if (task !== undefined) this.#run(task);
    }
    const tasks = this.takeTasks(stack.length);
    stack.push(...helps);
    this.#flush();
    return tasks;
  }

  #run(task: Task): void {
    if (task.kind === "remove") {
      runRemoval(this.thread, task);
      return;
    }
    if (task.kind === "settle") {
      settleMove(this.thread, task);
      return;
    }
    if (task.kind === "help") {
      this.#help(task.help);
      return;
    }
    this.#runTask(task, this.#shares ? (begin) => this.#startHuge(begin) : undefined);
  }

  #runTask(task: OrdinaryTask, startHuge: HugeFileStart | undefined): void {
    runTask(this.thread, task, {
      startHuge,
      isSliceOver: () => this.#sliceEnd > 0 && performance.now() > this.#sliceEnd,
    });
  }

  /** After a cancellation: nothing more is begun, open folders are closed. */
  #dropTasks(): void {
    const { stack } = this.thread;
    for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
      switch (task.kind) {
        case "help":
          this.#port.helped(task.help, -errno.ECANCELED);
          break;
        case "remove":
        case "settle":
          break;
        case "batch":
          batchDone(this.thread, task.node);
          break;
        case "walk":
          batchDone(this.thread, task.node);
          break;
        default:
          childDone(this.thread, task.parent);
      }
    }
  }

  /** Its part in a huge file: a thread that has to stay awake does a chunk at a time. */
  #help(help: HugeFileHelp): void {
    let outcome: ContentResult | undefined;
    if (this.#shares) outcome = copyParts(this.thread, help, () => {});
    else {
      outcome = copyNextPart(this.thread, help);
      const file = this.#files.get(help.fileId);
      if (outcome === undefined) {
        this.thread.stack.push({ kind: "help", help });
        if (file !== undefined) this.#offer(file);
        return;
      }
    }
    this.#port.helped(help, outcome === cutShort ? helpedCutShort : outcome.result);
  }

  /**
   * Begins the huge file that is due next, if one is, on a thread that has to stay awake: its
   * chunks are copied by `slice`, and what {@link takeHelp} gives others go on with. Returns
   * whether it is all there is, and small enough to be tried without others.
   */
  beginHuge(): boolean {
    const { stack } = this.thread;
    const task = stack.at(-1);
    if (task?.kind !== "large" || !isLong(task)) return false;
    stack.pop();
    this.#runTask(task, (begin) => {
      const file = openHugeFile(this.thread, begin);
      if (file === undefined) return undefined;
      file.helpers = 1;
      this.#files.set(file.id, file);
      stack.push({ kind: "help", help: file.help });
      return "begun";
    });
    this.#flush();
    return stack.length === 1 && task.dataBytes <= aloneFileBytes;
  }

  /** Takes its own parts in huge files off the stack, for another thread to go on with. */
  takeHelp(): TaskMessage[] {
    const { stack } = this.thread;
    const helps = stack.filter((task) => task.kind === "help");
    stack.splice(0, stack.length, ...stack.filter((task) => task.kind !== "help"));
    return helps;
  }

  #offer(file: HugeFile): void {
    if (!this.thread.shared.claimHungry()) return;
    file.helpers++;
    this.#files.set(file.id, file);
    this.#port.give([{ kind: "help", help: file.help }]);
  }

  #startHuge(begin: HugeFileBegin): ContentResult | "begun" | undefined {
    const t = this.thread;
    const file = openHugeFile(t, begin);
    if (file === undefined) return undefined;
    const offer = (): void => this.#offer(file);
    offer();
    file.written = copyParts(t, file.help, offer);
    if (file.helpers > 0) return "begun";
    closeHugeFile(t, file);
    return file.written;
  }

  /** Another thread has done its part of a huge file of ours. */
  helped(fileId: number, result: number): void {
    const file = this.#files.get(fileId);
    if (file === undefined) return;
    if (result === helpedCutShort) file.written = cutShort;
    else if (result < 0 && file.written.result === 0) file.written = { result, call: "pwrite" };
    file.helpers--;
    if (file.helpers > 0) return;
    this.#files.delete(fileId);
    settleHugeFile(this.thread, file);
    this.#flush();
  }

  #giveToHungry(): void {
    const { stack, shared } = this.thread;
    while (stack.length > 1 && shared.claimHungry()) {
      const count = Math.min(giftMax, Math.max(1, stack.length >> 1));
      this.#port.give(this.takeTasks(count));
    }
  }

  /** Takes the oldest tasks off the stack, in a form that another thread can do. */
  takeTasks(count: number): TaskMessage[] {
    const tasks = this.thread.stack.splice(0, count);
    return tasks.flatMap((task) => this.#toMessage(task));
  }

  #toMessage(task: Task): TaskMessage[] {
    switch (task.kind) {
      case "help":
      case "remove":
      case "settle":
        return [task];
      case "batch":
        return [{ kind: "batch", parent: this.#parentMessage(task.node), names: task.names }];
      case "walk":
        // A root that is open here: its listing stays here.
        this.thread.stack.push(task);
        return [];
      default: {
        const { kind, name, targetName } = task;
        const dataBytes = kind === "large" ? task.dataBytes : 0;
        return [{ kind, parent: this.#parentMessage(task.parent), name, targetName, dataBytes }];
      }
    }
  }

  #parentMessage(node: FolderNode): ParentMessage {
    this.#nodes.set(node.id, node);
    const { root, path, sourceFd, targetFd, isNew, newFileGid } = node;
    return {
      thread: this.thread.index,
      nodeId: node.id,
      root,
      path,
      sourceFd,
      targetFd,
      isNew,
      staged: node.stagedName !== undefined,
      newFileGid,
      hasDefaultAcl: hasDefaultAcl(this.thread, node),
      targetStatus: node.targetStatus,
      takesLinked: node.takesLinked,
      exactNames: node.exactNames === undefined ? undefined : [...node.exactNames],
    };
  }

  /** Puts tasks of another thread on the stack. */
  accept(tasks: readonly TaskMessage[]): void {
    for (const task of tasks) {
      if (task.kind === "help" || task.kind === "remove" || task.kind === "settle") {
        this.thread.stack.push(task);
        continue;
      }
      const parent = standIn(task.parent);
      const { stack } = this.thread;
      if (task.kind === "batch") stack.push({ kind: "batch", node: parent, names: task.names });
      else {
        const { kind, name, targetName, dataBytes } = task;
        if (kind === "large") stack.push({ kind, parent, name, targetName, dataBytes });
        else stack.push({ kind, parent, name, targetName });
      }
    }
  }

  /** Something that was given away is done. */
  childDone(done: ChildDone): void {
    const node = this.#nodes.get(done.nodeId);
    if (node === undefined) return;
    if (done.what === "batch") filesDone(this.thread, node);
    else childDone(this.thread, node);
    if (node.pending === 0) this.#nodes.delete(done.nodeId);
    this.#flush();
  }

  #flush(): void {
    const t = this.thread;
    for (const done of t.outbox.splice(0)) this.#port.done(done);
    const { issues, actions, extraneous, links } = t;
    if (issues.length + actions.length + extraneous.length + links.length === 0) return;
    this.#port.found({
      issues: issues.splice(0),
      actions: actions.splice(0),
      extraneous: extraneous.splice(0),
      links: links.splice(0),
    });
  }
}

function isLong(task: Task | undefined): boolean {
  if (task === undefined) return false;
  if (task.kind === "large") return task.dataBytes > hugeFileBytes;
  return task.kind === "remove" || task.kind === "settle";
}

/** A folder of another thread, as far as work in it needs it. */
function standIn(parent: ParentMessage): FolderNode {
  const { root, path, sourceFd, targetFd, isNew, takesLinked } = parent;
  const remote = { thread: parent.thread, nodeId: parent.nodeId };
  const stagedName = parent.staged ? "elsewhere" : undefined;
  const node = new FolderNode({
    remote,
    root,
    path,
    sourceFd,
    targetFd,
    isNew,
    targetName: "",
    stagedName,
    borrowed: true,
    takesLinked,
  });
  node.newFileGid = parent.newFileGid;
  node.defaultAcl = parent.hasDefaultAcl;
  node.targetStatus = parent.targetStatus;
  if (parent.exactNames !== undefined) node.exactNames = new Set(parent.exactNames);
  return node;
}
