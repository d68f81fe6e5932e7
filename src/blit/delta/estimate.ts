import { deltaBytesMin } from "./delta-request.ts";

/**
 * Whether a file is worth comparing block by block before it is sent. Both sides read and hash all
 * of it then, and the target writes all of it: that only pays where the link is slower than that.
 */

/** What one side compares in a second, from the page cache; disks are slower, links mostly too. */
const comparedBytesPerSecond = 2.5e9;

/** So many files in a row without a gain, and the rest of the session is sent whole. */
const futileMax = 4;

export type DeltaQuestion = {
  readonly sourceBytes: number;
  readonly baseBytes: number;
  /** What the link has brought in a second at best so far; undefined = not known yet. */
  readonly linkBytesPerSecond: number | undefined;
  /** The base is what an interrupted transfer left: most of it is the same for sure. */
  readonly isResume: boolean;
};

/** Learns from each file how alike the two sides are. */
export class DeltaJudge {
  #reusedShare = 0.9;
  #futile = 0;

  /** Whether the target should send hashes of its base. */
  wantsDelta(question: DeltaQuestion): boolean {
    const { sourceBytes, baseBytes, linkBytesPerSecond, isResume } = question;
    if (sourceBytes < deltaBytesMin || baseBytes < deltaBytesMin / 4) return false;
    if (isResume) return true;
    if (this.#futile >= futileMax) return false;
    // Much of the source is in no case in the base.
    if (baseBytes < sourceBytes / 16) return false;
    if (linkBytesPerSecond === undefined) return true;
    const comparable = Math.min(sourceBytes, baseBytes);
    const wholeSeconds = sourceBytes / linkBytesPerSecond;
    const sentBytes = sourceBytes - comparable * this.#reusedShare;
    const comparedSeconds = (baseBytes + sourceBytes) / comparedBytesPerSecond;
    return comparedSeconds + sentBytes / linkBytesPerSecond < wholeSeconds;
  }

  /** What became of one: how many of the source's bytes the base had. */
  learn(sourceBytes: number, reusedBytes: number): void {
    if (sourceBytes === 0) return;
    const share = reusedBytes / sourceBytes;
    this.#reusedShare = this.#reusedShare * 0.7 + share * 0.3;
    this.#futile = share < 0.1 ? this.#futile + 1 : 0;
  }
}
