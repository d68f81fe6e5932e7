/** The sending end of one data stream: files in, frames out. */

import { StatView } from "../../../ffi/abi/stat.ts";
import { errno } from "../../../ffi/errno.ts";
import { whenBound } from "../../../ffi/sys.ts";
import { confineThread } from "../daemon/confine.ts";
import { cheaplyCompiled, cheaplyCompiledMethods } from "../engine/compile-cost.ts";
import { forEachName, visitListing } from "../engine/listing.ts";
import { Thread } from "../engine/thread.ts";
import { answerNeed } from "../send/answer.ts";
import { FrameWriter } from "../send/frame-writer.ts";
import type { FromSender, ToSender } from "../send/messages.ts";
import { EntryCollector, isAsSent } from "../send/open-folder.ts";
import { aliveMs, Sender } from "../send/sender.ts";
import { removeEmptied } from "../send/settle-folders.ts";
import { openEntry, SmallPack } from "../send/small-pack.ts";
import { SourceXattrs } from "../send/source-xattrs.ts";
import { StreamBroken } from "../send/stream-broken.ts";
import { isWipedForNext } from "../session/wipe-thread.ts";
import { DataSocket } from "../wire/data-socket.ts";

declare const self: Worker;

const hotClasses = [Sender, FrameWriter, EntryCollector, SourceXattrs, SmallPack, StatView, Thread];
for (const { prototype } of hotClasses) cheaplyCompiledMethods(prototype);
const hot = [answerNeed, openEntry, isAsSent, forEachName, visitListing];
for (const callable of hot) cheaplyCompiled<unknown>(callable);
whenBound(cheaplyCompiled);

let sender: Sender | undefined;
/** Shows life in a pass while other streams still walk. */
let life: Timer | undefined;
/** Something did not go as agreed, or the thread has given up rights: one session and no more. */
let isSpent = false;

function post(message: FromSender): void {
  self.postMessage(message);
}

/** An uncaught throw would arrive as one line of text (docs/bun.md): it is told in full here. */
function tell(error: unknown): void {
  isSpent = true;
  if (error instanceof StreamBroken) {
    const { result, side, message: detail } = error;
    post({ kind: "broken", result, side, detail });
    return;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  post({ kind: "crashed", message, stack: stack ?? "" });
}

/** Runs a phase; one that ends because the run is cancelled ends well. */
function attempt(current: Sender, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof StreamBroken && error.result === -errno.ECANCELED) {
      isSpent = true;
      if (current.t.cancelled) return true;
    }
    tell(error);
    return false;
  }
}

function rest(current: Sender): void {
  life = setInterval(() => {
    if (!attempt(current, () => current.showLife())) clearInterval(life);
  }, aliveMs);
}

function start(message: Extract<ToSender, { kind: "start" }>): Sender {
  const { base } = message;
  if (base.confine !== undefined) {
    isSpent = true;
    confineThread({ rootFd: base.fd, ...base.confine });
  }
  return new Sender(message, (seat, isCancelled, rate) => {
    return new DataSocket(seat, { isCancelled, ...rate });
  });
}

function run(current: Sender, message: Exclude<ToSender, { kind: "start" }>): void {
  const { t } = current;
  clearInterval(life);
  switch (message.kind) {
    case "pass":
      if (attempt(current, () => current.beginPass(message))) rest(current);
      return;
    case "walk":
      if (!attempt(current, () => current.walk())) return;
      post({
        kind: "walked",
        links: current.links.splice(0),
        issues: t.issues.splice(0),
        folders: current.walked.splice(0),
      });
      rest(current);
      return;
    case "finish":
      if (!attempt(current, () => current.finish(message.groups))) return;
      post({ kind: "done", issues: t.issues.splice(0) });
      return;
    case "remove":
      removeEmptied(t, current.roots, message.folders);
      post({ kind: "done", issues: t.issues.splice(0) });
      return;
    case "close":
      current.close();
      endSession();
  }
}

/** Nothing leads to the session any more when its end is told. */
function endSession(): void {
  clearInterval(life);
  life = undefined;
  sender = undefined;
  post({ kind: "closed", isWiped: !isSpent && isWipedForNext() });
}

self.onmessage = (event: MessageEvent<ToSender>) => {
  try {
    const message = event.data;
    if (message.kind === "start") {
      sender = start(message);
      post({ kind: "started" });
    } else if (sender !== undefined) run(sender, message);
    else if (message.kind === "close") endSession();
  } catch (error) {
    tell(error);
  }
};
