import type { Snapshot, SystemState } from "./types.ts";

/** How many to keep of what; undefined is no rule. */
export interface RetentionRules {
  readonly last?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
}

/**
 * Numbers of the snapshots that no rule keeps, in order. The base, what is pinned or deployed and
 * what begins a branch is never among them. Pure; days are those of the local time.
 */
export function planRetention(state: SystemState, rules: RetentionRules): readonly number[] {
  const newestFirst = [...state.snapshots].sort((a, b) => b.createdMs - a.createdMs || b.id - a.id);
  const kept = new Set(newestFirst.slice(0, rules.last ?? 0).map(({ id }) => id));
  const periods: readonly [number | undefined, (ms: number) => string][] = [
    [rules.daily, (ms) => dayOf(new Date(ms))],
    [rules.weekly, (ms) => dayOf(mondayOf(new Date(ms)))],
    [rules.monthly, (ms) => dayOf(new Date(ms)).slice(0, -3)],
    [rules.yearly, (ms) => dayOf(new Date(ms)).slice(0, -6)],
  ];
  for (const [count, period] of periods) {
    for (const id of newestOfEach(newestFirst, count ?? 0, period)) kept.add(id);
  }
  const deployed = new Set(state.deployments.map(({ snapshot }) => snapshot));
  return state.snapshots
    .filter(({ id, isPinned, branch }) => {
      const isSafe = id === 0 || isPinned || branch !== undefined || deployed.has(id);
      return !isSafe && !kept.has(id);
    })
    .map(({ id }) => id);
}

function newestOfEach(
  newestFirst: readonly Snapshot[],
  count: number,
  period: (ms: number) => string,
): number[] {
  const newest = new Map<string, number>();
  for (const { id, createdMs } of newestFirst) {
    const key = period(createdMs);
    if (!newest.has(key) && newest.size < count) newest.set(key, id);
  }
  return [...newest.values()];
}

/** `2026-11-21`. */
function dayOf(date: Date): string {
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

function mondayOf(date: Date): Date {
  const sinceMonday = (date.getDay() + 6) % 7;
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - sinceMonday);
}
