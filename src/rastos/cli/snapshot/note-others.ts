import type { Printer } from "../../../kit/out/printer.ts";
import { withDescendants } from "../../snapshot/shape.ts";
import type { SystemState } from "../../snapshot/types.ts";

/** A snapshot that was made of the one that boots next, because no other one was named. */
export interface MadeOfDefault {
  readonly from: number;
  readonly made: number;
  /** The flag that names another one: `--snapshot`, `--from`. */
  readonly flag: string;
}

/**
 * Says so where somebody has changed a clone of the same snapshot before and has not deployed it
 * yet: two changes after one another do not add up then.
 */
export function noteOthers(printer: Printer, state: SystemState, of: MadeOfDefault): void {
  const deployed = new Set(state.deployments.map(({ snapshot }) => snapshot));
  const others = withDescendants(state.snapshots, [of.from])
    .filter((id) => id !== of.from && id !== of.made && !deployed.has(id))
    .sort((a, b) => a - b);
  const newest = others.at(-1);
  if (newest === undefined) return;
  const [shown, verb] = others.length === 1 ? ["snapshot", "has"] : ["snapshots", "have"];
  printer.note(
    `note: it begins from snapshot ${of.from}, which boots next, and has nothing of what ` +
      `${shown} ${others.join(", ")} ${verb}: ${of.flag} ${newest} begins from there`,
  );
}
