import { Fault } from "../../kit/fault/fault.ts";
import type { ChosenBase } from "./select.ts";

/** What somebody has to look at before it runs. */
export interface AurReview {
  readonly base: string;
  readonly packages: readonly string[];
  readonly version: string;
  /** The commit that was let pass before; undefined: all is new. */
  readonly from: string | undefined;
  readonly to: string;
  /** Author, date and subject of the commit. */
  readonly description: string;
  /** All files, from the old commit to the new one. As it is: escape it before it is shown. */
  readonly diff: string;
}

/** Whether a review lets its commit pass. */
export type Approve = (review: AurReview) => Promise<boolean>;

/** Makes what is to be looked at. */
export async function reviewOf({ info, commit, reviewed, mirror }: ChosenBase): Promise<AurReview> {
  // A history that was written anew may no longer have the old commit: then all is new.
  const from = reviewed === undefined ? undefined : await mirror.commit(reviewed);
  return {
    base: info.base,
    packages: info.packages.map(({ name }) => name),
    version: info.version,
    from,
    to: commit,
    description: await mirror.describe(commit),
    diff: await mirror.diff(from, commit),
  };
}

/**
 * Lets commits pass that were named beforehand, and asks for the others.
 *
 * @param commits full names, or at least 12 digits of them
 * @throws {Fault} E_USAGE for a commit that is too short to be sure
 */
export function approveNamed(commits: readonly string[], ask: Approve): Approve {
  const named = commits.map((text) => {
    const commit = text.toLowerCase();
    if (/^[0-9a-f]{12,40}$/.test(commit)) return commit;
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot take "${text}" for a reviewed commit`,
      hint: "give at least 12 hexadecimal digits: fewer can be forged",
    });
  });
  return async (review) =>
    named.some((commit) => review.to.startsWith(commit)) || (await ask(review));
}

/** Lets nothing pass: where there is nobody to ask. */
export const approveNothing: Approve = async () => false;

/** A commit that nobody has let pass. */
export function unreviewed({ base, from, to }: AurReview): Fault {
  const what = from === undefined ? "has never been reviewed" : `has changed since ${from}`;
  return new Fault({
    code: "E_CONFIRM",
    message: `Cannot build "${base}": it ${what}`,
    hint: `look at it with "rastos aur review ${base}", or pass --yes-reviewed ${to}`,
    details: { base, from, to },
  });
}
