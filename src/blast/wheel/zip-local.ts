import { FLAG, LOCAL_BYTES, type ZipMember } from "./zip-directory.ts";

/**
 * The header in front of each member's data. It repeats what the central directory says; one that
 * says something else is how an archive shows different content to different programs.
 */

const SIGNATURE_LOCAL = 0x04034b50;
/** Bits that both headers have to share; the others are hints for compressors. */
const FLAGS_SHARED = FLAG.encrypted | FLAG.patched | FLAG.strong | FLAG.utf8;
/** A data descriptor's possible sizes: with and without its signature, 32 and 64 bits. */
const DESCRIPTOR_BYTES = [12, 16, 20, 24] as const;

/** How many bytes behind a member's data {@link gapProblem} has to see. */
export const GAP_BYTES = 28;

/** Length of the header as a whole, or why it is refused. `bytes`: LOCAL_BYTES and the name. */
export function localHeader(member: ZipMember, bytes: Buffer): number | string {
  if (bytes.readUInt32LE(0) !== SIGNATURE_LOCAL) return "its header is not where it says";
  const flags = bytes.readUInt16LE(6);
  const nameBytes = bytes.readUInt16LE(26);
  const agrees =
    (flags & FLAGS_SHARED) === (member.flags & FLAGS_SHARED) &&
    bytes.readUInt16LE(8) === member.method &&
    nameBytes === member.rawName.length &&
    bytes.compare(member.rawName, 0, nameBytes, LOCAL_BYTES, LOCAL_BYTES + nameBytes) === 0;
  if (!agrees) return "its two headers disagree";
  // Written behind the data, what is not known yet is zero here.
  const isLater = (flags & FLAG.descriptor) !== 0;
  const same = (offset: number, value: number): boolean => {
    const found = bytes.readUInt32LE(offset);
    return found === value || found === 0xffffffff || (isLater && found === 0);
  };
  const sizesAgree = same(18, member.compressedBytes) && same(22, member.sizeBytes);
  if (!sizesAgree || !(same(14, member.crc32) || isLater)) return "its two headers disagree";
  const length = LOCAL_BYTES + nameBytes + bytes.readUInt16LE(28);
  const end = member.offset + length + member.compressedBytes;
  return end <= member.limit ? length : "it overlaps what follows it";
}

/** Why what stands between a member's data and the next member is refused. */
export function gapProblem(gap: Buffer): string | undefined {
  for (const at of [0, ...DESCRIPTOR_BYTES]) {
    if (at + 4 <= gap.length && gap.readUInt32LE(at) === SIGNATURE_LOCAL) {
      return "behind it stands a member that the central directory does not name";
    }
  }
  return undefined;
}
