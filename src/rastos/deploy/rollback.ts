import { Fault } from "../../kit/fault/fault.ts";
import { identityOf } from "../boot/entry.ts";
import type { BootEntry } from "../boot/types.ts";
import { type DeployPlace, recordDefault, recoverDeployments } from "./recover.ts";
import { standingOf } from "./standing.ts";

/** What a rollback does. */
export interface RollbackPlan {
  /** The entry that boots next afterwards. */
  readonly to: string;
  /** The one that boots next without it; undefined where there is none. */
  readonly from: string | undefined;
}

/** What is rolled back to, and why. */
export interface RollbackOptions {
  /** K; default: the newest good deployment before the one that boots next. */
  readonly to?: number | undefined;
  /** Why the other one is bad; default: that somebody has said so. */
  readonly reason?: string | undefined;
}

/** What {@link rollBack} would do. @throws {Fault} E_NOT_FOUND, E_REFUSED */
export function planRollback(
  place: Pick<DeployPlace, "menu">,
  options: RollbackOptions,
): RollbackPlan {
  const { menu } = place;
  const { entries, from } = menu.together(() => ({ entries: menu.entries(), from: menu.next() }));
  const target =
    options.to === undefined ? goodBefore(entries, from, place) : wanted(entries, options.to);
  if (target.name === from?.name) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot roll back to ${target.name}: it is what boots next already`,
      hint: "rastos boot list shows them all",
    });
  }
  return { to: target.name, from: from?.name };
}

/**
 * Has an earlier deployment boot next, by one write on the boot partition, and marks the one that
 * would have booted as bad. Nothing of it is lost: it can be rolled back to as well.
 *
 * @throws {Fault} E_NOT_FOUND where there is none, E_REFUSED
 */
export function rollBack(place: DeployPlace, options: RollbackOptions): RollbackPlan {
  return place.menu.together(() => roll(place, options));
}

function roll(place: DeployPlace, options: RollbackOptions): RollbackPlan {
  recoverDeployments(place);
  const plan = planRollback(place, options);
  const reason = options.reason ?? `rolled back by hand to ${plan.to}`;
  place.menu.rollTo(plan.to, plan.from === undefined ? [] : [{ name: plan.from, reason }]);
  recordDefault(place);
  return plan;
}

function goodBefore(
  entries: readonly BootEntry[],
  from: BootEntry | undefined,
  { menu }: Pick<DeployPlace, "menu">,
): BootEntry {
  const found = entries.find(
    (entry) => entry.name !== from?.name && standingOf(entry, menu.files).state === "good",
  );
  if (found !== undefined) return found;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot roll back: there is no other deployment that was ever good",
    hint: "rastos boot list shows them all; rastos rollback K takes any of them",
  });
}

function wanted(entries: readonly BootEntry[], id: number): BootEntry {
  const found = entries.find(({ name }) => identityOf(name)?.deployment === id);
  if (found !== undefined) return found;
  const names = entries.map(({ name }) => name).join(", ");
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot roll back to deployment ${id}: there is no boot entry of it`,
    hint: names === "" ? "there are no boot entries at all" : `there are: ${names}`,
  });
}
