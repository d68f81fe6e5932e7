import { expect, test } from "bun:test";
import fc from "fast-check";
import { chainOf, neededBy, planBackupRetention } from "../../../src/rastos/backup/chain.ts";
import type { BackupManifest } from "../../../src/rastos/backup/types.ts";

const DAY_MS = 24 * 3600 * 1000;

/** Backups that build upon earlier ones, or upon none. */
const someBackups = fc
  .array(fc.record({ upon: fc.option(fc.nat()), day: fc.integer({ min: 0, max: 60 }) }))
  .map((list): BackupManifest[] =>
    list.map(({ upon, day }, index) => ({
      format: 1,
      id: `b${index}`,
      snapshot: index,
      parent: upon === null || index === 0 ? undefined : `b${upon % index}`,
      keys: { root: `${index}`, etc: "", var: "" },
      description: "",
      createdMs: Date.UTC(2026, 0, 1) + day * DAY_MS,
      bytes: 0,
      chunks: [],
    })),
  );

test("whatever is pruned, each backup that stays can be restored", () => {
  const rule = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
  fc.assert(
    fc.property(
      someBackups,
      fc.record({ last: rule, daily: rule, monthly: rule }),
      (all, rules) => {
        const gone = planBackupRetention(all, rules);
        const kept = all.filter(({ id }) => !gone.includes(id));
        for (const { id } of kept) expect(chainOf(kept, id).at(-1)?.id).toBe(id);
        for (const id of gone) expect(neededBy(kept, id)).toEqual([]);
        if (Object.values(rules).every((each) => each === undefined)) expect(gone).toEqual([]);
        const newest = [...all].sort((a, b) => b.createdMs - a.createdMs)[0];
        if ((rules.last ?? 0) > 0 && newest !== undefined) {
          expect(kept.some(({ createdMs }) => createdMs === newest.createdMs)).toBe(true);
        }
      },
    ),
  );
});
