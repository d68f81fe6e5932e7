/** Which deployments may go. Pure. */
import type { Deployment } from "../snapshot/types.ts";

/** What decides about them. */
export interface RetentionFacts {
  readonly deployments: readonly Deployment[];
  /** The one that is running, where it is known. */
  readonly booted: number | undefined;
  /** The one that boots next. */
  readonly next: number | undefined;
  /** Deployments of pinned snapshots stay. */
  readonly pinnedSnapshots: ReadonlySet<number>;
  /** How many good ones are kept beside the next one, the newest, and of those never started. */
  readonly keep: number;
}

/**
 * The deployments that nobody needs, the first to go first: bad ones by age, then those that a
 * newer one was put before and that were never started, then good ones; of both beyond those that
 * are kept. Never the running one, the next one, the newest good one beside it, one that is still
 * being tried, or one of a pinned snapshot.
 */
export function unneededDeployments(facts: RetentionFacts): readonly Deployment[] {
  const { deployments, booted, next, pinnedSnapshots } = facts;
  const isProtected = (one: Deployment): boolean =>
    one.id === booted || one.id === next || pinnedSnapshots.has(one.snapshot);
  const byAge = [...deployments].sort((a, b) => a.id - b.id);
  const good = byAge.filter((one) => one.state === "good" && one.id !== next);
  const kept = new Set(good.slice(-Math.max(1, facts.keep)).map((one) => one.id));
  // Deployed again and again without a restart: each takes its place on the boot partition. Where
  // nothing is good, nobody knows which of them would come up.
  const isAnyGood = good.length > 0;
  const unstarted = byAge.filter((one) => {
    return isAnyGood && one.state === "new" && one.id < (next ?? -1);
  });
  for (const { id } of unstarted.slice(-Math.max(1, facts.keep))) kept.add(id);
  const bad = byAge.filter((one) => one.state === "bad");
  // The newest bad one stays for as long as somebody may ask why.
  const shownBad = bad.at(-1)?.id;
  return [
    ...bad.filter((one) => !isProtected(one) && one.id !== shownBad),
    ...unstarted.filter((one) => !isProtected(one) && !kept.has(one.id)),
    ...good.filter((one) => !isProtected(one) && !kept.has(one.id)),
  ];
}
