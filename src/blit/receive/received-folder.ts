import type { FolderNode } from "../engine/folder-node.ts";
import { broken } from "./check.ts";
import type { LinkedName, Payload } from "./manifest.ts";

/** How an entry's content is awaited. */
export const awaited = {
  /** The target has something under its name, which the content replaces. */
  replaces: 2,
  /** The hashes of what the target has went out: it may turn out to be equal. */
  mayBeEqual: 4,
  /** A part of it that an earlier run received is its base. */
  fromPart: 8,
  /** Its attributes alone are awaited. */
  attributes: 16,
} as const;

const isAwaited = 1;

/** A file of the target of which the source got hashes. */
export type DeltaBase = {
  readonly blockBytesLog2: number;
  readonly coveredBytes: number;
  /** Where that can be told: its status, and the hashes that hold while it is the same. */
  readonly settled?: SettledBase | undefined;
};

/** A file that was last changed well before it was hashed. */
export type SettledBase = {
  readonly request: Uint8Array;
  readonly sizeBytes: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
};

/** Entries of one frame of which content is awaited. */
type Listed = {
  readonly firstIndex: number;
  readonly payload: Payload;
  /** Where each entry begins in the payload. */
  readonly offsets: Uint32Array;
  /** 0 = nothing is awaited, else bits. */
  readonly states: Uint8Array;
};

/**
 * A folder whose listing or content is under way on a stream. Of its entries only those are kept
 * whose content is still to come.
 */
export class ReceivedFolder {
  readonly id: number;
  /** undefined: nothing can be put there, and nothing is asked for. */
  readonly node: FolderNode | undefined;
  /** Status record and attributes of the folder; empty for a holder of a root. */
  readonly status: Uint8Array;
  readonly xattrs: Uint8Array;
  /** Last folder of its frames is there. */
  isListed = false;
  /** Of a holder: the name that the entry gets. */
  readonly targetName: string | undefined;
  /** Of a file of several names: all of them, the first to be made first. */
  links: LinkedName[] | undefined;
  /** The name that leads them, as the source has it. */
  firstName: string | undefined;
  /** Something is put into it or taken out of it by others: its times are set at the end. */
  isLate = false;
  /** Names of the source, where the target's listing has to be compared with them. */
  names: Set<string> | undefined;
  /** What went out about the bases of entries, by index. */
  readonly bases = new Map<number, DeltaBase>();
  isIncomplete = false;
  /** Of a file of several names: the first is not in place. */
  hasFailed = false;
  entries = 0;
  /** Of frames that are kept. */
  keptBytes = 0;
  #awaited = 0;
  readonly #listed: Listed[] = [];

  constructor(options: {
    readonly id: number;
    readonly node: FolderNode | undefined;
    readonly status?: Uint8Array;
    readonly xattrs?: Uint8Array;
    readonly targetName?: string | undefined;
  }) {
    this.id = options.id;
    this.node = options.node;
    this.status = options.status ?? nothing;
    this.xattrs = options.xattrs ?? nothing;
    this.targetName = options.targetName;
  }

  /** Nothing more is to come for it. */
  get isComplete(): boolean {
    return this.isListed && this.#awaited === 0;
  }

  /**
   * Takes note of the entries of a frame, and keeps copies where content is awaited: of those whose
   * state is not 0. Returns the bytes that are kept.
   */
  keep(payload: Payload, count: number, offsets: Uint32Array, states: Uint8Array): number {
    let wanted = 0;
    for (let i = 0; i < count; i++) if (states[i] !== 0) wanted++;
    const firstIndex = this.entries;
    this.entries += count;
    if (wanted === 0) return 0;
    this.#awaited += wanted;
    this.#listed.push({
      firstIndex,
      payload: payload.copy(),
      offsets: offsets.slice(0, count),
      states: states.slice(0, count),
    });
    this.keptBytes += payload.length;
    return payload.length;
  }

  /** Where the entry is whose content comes now. @throws Fault E_INTEGRITY: nobody asked for it */
  find(index: number): { readonly payload: Payload; readonly offset: number; state: number } {
    for (const { firstIndex, payload, offsets, states } of this.#listed) {
      const at = index - firstIndex;
      if (at < 0 || at >= states.length) continue;
      const state = states[at] as number;
      if (state === 0) break;
      return { payload, offset: offsets[at] as number, state };
    }
    return broken("content that was not asked for");
  }

  /** The entry is dealt with. */
  settle(index: number): void {
    for (const [i, { firstIndex, states }] of this.#listed.entries()) {
      const at = index - firstIndex;
      if (at < 0 || at >= states.length) continue;
      states[at] = 0;
      this.#awaited--;
      if (this.#listed.length > 1 && !states.some((state) => state !== 0))
        this.#listed.splice(i, 1);
      return;
    }
  }
}

const nothing = new Uint8Array(0);

/** The bits of an entry whose content is asked for. */
export function awaitedState(bits: number): number {
  return isAwaited | bits;
}
