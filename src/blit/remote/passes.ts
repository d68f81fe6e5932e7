import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { cancelReason, counter } from "../engine/shared-state.ts";
import type { PassPurpose } from "../session/types.ts";
import type { Link, PassOutcome } from "./link.ts";
import { OutcomeSum, type RemoteOutcome } from "./outcome.ts";

/** What a transfer is to do, whichever way its link goes. */
export type PassesRequest = {
  readonly command: "copy" | "mirror" | "move";
  readonly purpose: "transfer" | "plan";
  readonly yes: boolean;
  readonly maxDelete: number | undefined;
  readonly allowEmptySource: boolean;
  /** As typed, latin1, for messages. */
  readonly target: string;
};

export type PassesHooks = {
  /** Asked before anything is deleted: "nobody" where there is no terminal. @throws {Fault} */
  readonly confirmDeletion: (entries: number, target: string) => Promise<boolean>;
};

/** Passes that make room and bring what needs it; each removes what stands in the way of one. */
const PASSES_MAX = 4;

/**
 * Runs the passes of a transfer: first, where a mirror may delete, one that counts and the question
 * to the user; then the transfer, again as long as room had to be made; last, for a move, the pass
 * that removes from the source what has arrived.
 * @throws {Fault} for what ends the transfer before or between its passes
 */
export class Passes {
  readonly #link: Link;
  readonly #request: PassesRequest;
  readonly #hooks: PassesHooks;
  readonly #sum = new OutcomeSum();
  #interrupt: (() => void) | undefined;

  constructor(link: Link, request: PassesRequest, hooks: PassesHooks) {
    this.#link = link;
    this.#request = request;
    this.#hooks = hooks;
  }

  /** Stops both sides; `run` then resolves with what was done until now. */
  cancel(reason: number): void {
    this.#sum.cancel(reason);
    this.#link.cancel(reason);
    this.#interrupt?.();
  }

  async run(): Promise<RemoteOutcome> {
    const agreed = await this.#agree();
    const { command, purpose } = this.#request;
    if (purpose === "plan") {
      await this.#pass("plan", agreed);
      return this.#sum.result();
    }
    const isDone = await this.#transfer(agreed);
    if (!isDone && !this.#isStopped) this.#sum.addRest();
    if (command === "move" && isDone) await this.#pass("settle", undefined);
    return this.#sum.result();
  }

  /** As many passes as it takes; false where it was stopped, or where there is still more to do. */
  async #transfer(agreed: number | undefined): Promise<boolean> {
    for (let pass = 1; pass <= PASSES_MAX; pass++) {
      const outcome = await this.#pass("transfer", agreed);
      if (outcome === undefined || this.#isStopped) return false;
      if (!outcome.target.needsAnotherPass) return true;
    }
    return false;
  }

  get #isStopped(): boolean {
    return this.#sum.cancelled !== cancelReason.none;
  }

  /** One pass; undefined where it was interrupted. */
  async #pass(purpose: PassPurpose, agreed: number | undefined): Promise<PassOutcome | undefined> {
    if (this.#isStopped) return undefined;
    const outcome = await this.#orInterrupt(this.#link.runPass(purpose, agreed));
    if (outcome === undefined) this.#sum.addUnfinished(purpose, this.#link.progress());
    else {
      this.#refuseEmpty(outcome);
      if (purpose !== "count") this.#sum.add(purpose, outcome);
    }
    return outcome;
  }

  /** A side that was told to stop may have no report left to send: nobody waits for it. */
  async #orInterrupt(pass: Promise<PassOutcome>): Promise<PassOutcome | undefined> {
    const interrupted = new Promise<undefined>((resolve) => {
      this.#interrupt = () => resolve(undefined);
    });
    pass.catch(() => {});
    try {
      return await Promise.race([pass, interrupted]);
    } catch (error) {
      if (this.#isStopped) return undefined;
      throw error;
    }
  }

  /**
   * Asks, where a mirror would delete, before anything is changed. Returns how many entries may be
   * deleted, undefined for any number.
   * @throws {Fault} E_CONFIRM, E_REFUSED
   */
  async #agree(): Promise<number | undefined> {
    const { command, purpose, yes, maxDelete } = this.#request;
    if (command !== "mirror" || purpose !== "transfer") return undefined;
    if (yes && maxDelete === undefined) return undefined;
    const counted = await this.#pass("count", undefined);
    if (counted === undefined) return undefined;
    const { deletable } = counted.target;
    if (maxDelete !== undefined && deletable > maxDelete) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Refusing to delete ${deletable} entries: --max-delete allows ${maxDelete}`,
        hint: "nothing was changed; --dry-run lists them",
      });
    }
    if (yes) return maxDelete;
    if (deletable === 0) return 0;
    if (await this.#hooks.confirmDeletion(deletable, this.#request.target)) return deletable;
    const noun = deletable === 1 ? "entry" : "entries";
    throw new Fault({
      code: "E_CONFIRM",
      message: `Cannot delete ${deletable} ${noun} of the target: nobody agreed to it`,
      hint: "nothing was changed; --dry-run lists them, --yes deletes them without asking",
    });
  }

  /** An unmounted source looks like an empty one; the source's side has switched deletions off. */
  #refuseEmpty({ source }: PassOutcome): void {
    const { command, allowEmptySource, target } = this.#request;
    const isEmpty = (source.counts[counter.seen] ?? 0) === 0 && source.listingErrors === 0;
    if (command !== "mirror" || allowEmptySource || !isEmpty || source.cancelled !== 0) return;
    throw new Fault({
      code: "E_REFUSED",
      message: `Refusing to mirror an empty source onto "${displayPath(target)}"`,
      hint: "check that the source is mounted; --allow-empty-source does it all the same",
    });
  }
}
