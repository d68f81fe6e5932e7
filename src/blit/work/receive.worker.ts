/** The receiving end of one data stream: frames in, files out. */
import { whenBound } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { confineThread } from "../daemon/confine.ts";
import { linkGuess } from "../delta/link-guess.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";
import { forEachName, visitListing } from "../engine/listing.ts";
import { publishFile } from "../engine/publish.ts";
import { SharedState } from "../engine/shared-state.ts";
import { Thread } from "../engine/thread.ts";
import { isNameAt } from "../receive/check.ts";
import { ContentIntake } from "../receive/content-intake.ts";
import { decideEntry } from "../receive/decide.ts";
import { finishStream } from "../receive/finish-pass.ts";
import { FolderIntake } from "../receive/folder-intake.ts";
import { HandOver } from "../receive/hand-over.ts";
import { checkStatus, EntryReader } from "../receive/manifest.ts";
import type { FromReceiver, ToReceiver } from "../receive/messages.ts";
import { PartTable } from "../receive/part-table.ts";
import { Receiver } from "../receive/receiver.ts";
import { writeSmall } from "../receive/write-small.ts";
import { isWipedForNext } from "../session/wipe-thread.ts";
import { compileFilterJson } from "../tree/filter.ts";
import { DataSocket } from "../wire/data-socket.ts";
import { StatusSlices } from "../wire/status.ts";

declare const self: Worker;

/** Methods of a class, for the compiler's sake. */
function methodsOf(type: { readonly prototype: object }): unknown[] {
  const { prototype } = type;
  return Object.values(Object.getOwnPropertyDescriptors(prototype)).map(({ value }) => value);
}

const hot = [
  ...[isNameAt, checkStatus, decideEntry, writeSmall, publishFile, forEachName, visitListing],
  ...[ContentIntake, FolderIntake, HandOver, EntryReader, Receiver, StatusSlices].flatMap(
    methodsOf,
  ),
];
for (const callable of hot) {
  if (typeof callable === "function") cheaplyCompiled<unknown>(callable);
}
whenBound(cheaplyCompiled);

let receiver: Receiver | undefined;
/** The stream is of no use any more: nothing is done after that. */
let hasEnded = false;
/** Something did not go as agreed, or the thread has given up rights: one session and no more. */
let isSpent = false;

function post(message: FromReceiver): void {
  self.postMessage(message);
}

/** An uncaught throw would arrive as one line of text (docs/bun.md): it is told in full here. */
function tell(error: unknown): void {
  hasEnded = true;
  isSpent = true;
  if (receiver !== undefined) {
    flush(receiver.t);
    // The source has to notice.
    receiver.socket.close();
    if (error instanceof Fault && receiver.t.cancelled) {
      post({ kind: "cancelled" });
      return;
    }
  }
  if (error instanceof Fault) {
    post({ kind: "broken", fault: error.toJson() });
    return;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ kind: "crashed", message, stack: stack ?? "" });
}

function flush(t: Thread): void {
  const { issues, actions } = t;
  if (issues.length + actions.length === 0) return;
  post({ kind: "found", issues: issues.splice(0), actions: actions.splice(0) });
}

function start(message: Extract<ToReceiver, { kind: "start" }>): Receiver {
  const { row, seat, options, base } = message;
  const shared = new SharedState(message.shared);
  const t = new Thread(row, options, shared);
  t.filter = options.filter === undefined ? undefined : compileFilterJson(options.filter);
  const socket = new DataSocket(seat, { isCancelled: () => shared.cancelled() !== 0 });
  try {
    if (base.confine !== undefined) {
      isSpent = true;
      confineThread({ rootFd: base.fd, ...base.confine });
    }
  } catch (error) {
    // The source has to notice.
    socket.close();
    throw error;
  }
  const parts = new PartTable(message.parts);
  const made = new Receiver(t, socket, { ...seat, parts }, () => flush(t));
  made.linkBytesPerSecond = linkGuess(seat.fd);
  return made;
}

function run(current: Receiver, message: Exclude<ToReceiver, { kind: "start" }>): void {
  const { t } = current;
  switch (message.kind) {
    case "pass": {
      current.runPass(message);
      flush(t);
      const inTheWay = t.extraneous.filter((each) => each.replacedBy !== "none").length;
      const { needsAnotherPass } = current;
      post({ kind: "written", inTheWay, due: t.extraneous.length, needsAnotherPass });
      return;
    }
    case "finish": {
      const { roots, late, folders } = current;
      const { devices } = folders;
      const locked = finishStream(t, { roots, late, devices, deletes: message.deletes });
      flush(t);
      post({ kind: "finished", late: locked });
      return;
    }
    case "close":
      current.socket.close();
      endSession();
  }
}

/** Nothing leads to the session any more when its end is told. */
function endSession(): void {
  receiver = undefined;
  post({ kind: "closed", isWiped: !isSpent && isWipedForNext() });
}

self.onmessage = (event: MessageEvent<ToReceiver>) => {
  const message = event.data;
  try {
    if (message.kind === "start") receiver = start(message);
    else if (message.kind === "close" && receiver === undefined) endSession();
    else if (receiver !== undefined && (!hasEnded || message.kind === "close")) {
      run(receiver, message);
    }
  } catch (error) {
    tell(error);
  }
};
