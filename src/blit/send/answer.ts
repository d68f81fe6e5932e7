import { S } from "../../../ffi/abi/constants.ts";
import { smallFileBytes } from "../engine/limits.ts";
import { fileOutcome, needKind } from "../wire/frame.ts";
import type { OpenFolder } from "./open-folder.ts";
import { sendAttributes, tellAttributes } from "./send-attributes.ts";
import { sendCompared } from "./send-delta.ts";
import { sendLarge } from "./send-large.ts";
import type { Sender } from "./sender.ts";
import { settleEntry } from "./settle.ts";
import { SmallPack } from "./small-pack.ts";

/** Index, kind, flags, two zero bytes, length of the extra. */
const needHeadBytes = 12;

/** Where files are compressed, one of this size is sent by itself. */
const compressedBytesMin = 4096;

/** Sends what a NEED frame asks for, or removes what it says has arrived. */
export function answerNeed(s: Sender, folder: OpenFolder, payload: Buffer): void {
  const pack = new SmallPack(s, folder);
  let at = 0;
  while (at < payload.length) {
    if (s.t.cancelled) return;
    if (payload.length - at < needHeadBytes) s.refuse("a NEED frame is cut off");
    const index = payload.readUInt32LE(at);
    const kind = payload[at + 4] as number;
    const extraLength = payload.readUInt32LE(at + 8);
    at += needHeadBytes;
    if (index >= folder.count) s.refuse(`folder ${folder.id} has no entry ${index}`);
    if (extraLength > payload.length - at) s.refuse("a NEED frame is cut off");
    const extra = payload.subarray(at, at + extraLength);
    at += extraLength;
    s.t.root = folder.root;
    if (kind === needKind.arrived) {
      settleEntry(s, folder, index);
      pack.rest();
      continue;
    }
    if ((folder.modeOf(index) & S.IFMT) !== S.IFREG) {
      s.refuse(`entry ${index} of folder ${folder.id} is no file`);
    }
    if (kind === needKind.attributes) tellAttributes(s, pack, { folder, index });
    else if (kind === needKind.whole || kind === needKind.unlessEqual) {
      sendEntry(s, pack, { folder, index, kind, extra });
    } else s.refuse(`a need of kind ${kind} is not known`);
    pack.rest();
  }
  pack.close();
}

/** One file that the target wants. */
export type WantedFile = {
  readonly folder: OpenFolder;
  readonly index: number;
  readonly kind: number;
  /** What the target says of the content that it has; may be empty. */
  readonly extra: Uint8Array;
};

function sendEntry(s: Sender, pack: SmallPack, wanted: WantedFile): void {
  const { folder, index, extra } = wanted;
  const size = folder.sizeOf(index);
  sendAttributes(s, pack, wanted);
  folder.needed++;
  folder.neededBytes += size;
  if (extra.length > 0 && sendCompared(s, pack, wanted)) return;
  if (s.purpose !== "transfer") {
    // Where nothing is to change, that it differs is all there is to say.
    pack.addOutcome(index, fileOutcome.same);
    return;
  }
  const isPacked = size >= compressedBytesMin && s.zstd?.mayPay === true;
  if (size < smallFileBytes && !isPacked && pack.add(index)) return;
  sendLarge(s, pack, folder, index);
}
