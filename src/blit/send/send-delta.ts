import { sys } from "../../../ffi/sys.ts";
import { parseRequest, requestFlag } from "../delta/delta-request.ts";
import { DeltaScan, deltaStep } from "../delta/send-delta.ts";
import { smallFileBytes } from "../engine/limits.ts";
import { counter } from "../engine/shared-state.ts";
import { fileOutcome, frameType, needKind } from "../wire/frame.ts";
import type { WantedFile } from "./answer.ts";
import { isAsSent } from "./open-folder.ts";
import { endFile, fileMode, sendAttempts, sendHead, sendPiece } from "./send-large.ts";
import type { Sender } from "./sender.ts";
import { isSameStatus, openEntry, reportUnread, type SmallPack } from "./small-pack.ts";

/** Offsets and length of a REUSE frame. */
const reuseBytes = 24;

/**
 * A file that the target has something of. Returns false where all of it is to be sent like any
 * other: it is not what the target has, and parts of that are of no use.
 */
export function sendCompared(s: Sender, pack: SmallPack, wanted: WantedFile): boolean {
  const { folder, index } = wanted;
  const fd = openEntry(s, folder, index);
  if (fd < 0) {
    pack.addOutcome(index, reportUnread(s, folder, index, fd, "openat"));
    return true;
  }
  try {
    return compareOpened(s, pack, wanted, fd);
  } finally {
    sys.close(fd);
  }
}

function compareOpened(s: Sender, pack: SmallPack, wanted: WantedFile, fd: number): boolean {
  const { folder, index, extra, kind } = wanted;
  const { t } = s;
  const request = parseRequest(extra) ?? s.refuse("the hashes of a NEED are not understood");
  const looked = t.statFd(fd, t.source);
  if (looked < 0) {
    pack.addOutcome(index, reportUnread(s, folder, index, looked, "statx"));
    return true;
  }
  const { sizeBytes } = t.source;
  const { hash, deltaBuffer: buffer } = s;
  const scan = new DeltaScan({ hash, request, buffer, fd, sizeBytes });
  if (kind === needKind.unlessEqual) {
    const between = (): number => {
      s.between();
      return t.cancelled ? -1 : 0;
    };
    // Frames of others may not come between those of a pack.
    pack.close();
    const equal = scan.compare(between);
    const isStill = t.statFd(fd, t.other) === 0 && isSameStatus(s);
    if (equal === 1 && isStill && isAsSent(folder, index, t.sourceWords)) {
      pack.addOutcome(index, fileOutcome.equal);
      t.add(counter.bytesDone, sizeBytes);
      t.add(counter.bytesCompared, sizeBytes);
      return true;
    }
  }
  if (s.purpose !== "transfer") return false;
  if ((request.flags & requestFlag.reuse) === 0 || sizeBytes < smallFileBytes) return false;
  pack.close();
  sendSteps(s, wanted, fd, scan);
  return true;
}

/** Sends what the target has not, and where it finds the rest. */
function sendSteps(s: Sender, wanted: WantedFile, fd: number, scan: DeltaScan): void {
  const { folder, index } = wanted;
  const { t } = s;
  const doneBefore = t.count[counter.bytesDone] as number;
  sendHead(s, folder, index, fileMode.delta, t.source.sizeBytes);
  const result = sendScan(s, wanted, scan);
  if (result === 0 && t.statFd(fd, t.other) === 0 && isSameStatus(s)) {
    const isSame = isAsSent(folder, index, t.sourceWords);
    const outcome = isSame ? fileOutcome.same : fileOutcome.restated;
    endFile(s, folder, outcome, index, scan.contentHash());
    return;
  }
  // It changed, or cannot be read: sending it whole tells which.
  t.count[counter.bytesDone] = doneBefore;
  sendAttempts(s, folder, index, fd, 2);
}

function sendScan(s: Sender, wanted: WantedFile, scan: DeltaScan): number {
  const { folder } = wanted;
  for (;;) {
    const step = scan.next();
    if (step === deltaStep.end) return 0;
    if (step < 0) return step;
    if (step === deltaStep.reuse) sendReuse(s, folder.id, scan);
    else sendPiece(s, folder, scan.offset, scan.data);
    s.t.add(counter.bytesDone, scan.length);
    s.between();
  }
}

function sendReuse(s: Sender, id: number, scan: DeltaScan): void {
  const { frames } = s;
  s.must(frames.begin(reuseBytes));
  frames.u64(scan.offset);
  frames.u64(scan.baseOffset);
  frames.u64(scan.length);
  frames.end(frameType.reuse, 0, id);
}
