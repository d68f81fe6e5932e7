import { Fault } from "../../kit/fault/fault.ts";
import { planRetention, type RetentionRules } from "../snapshot/retention.ts";
import type { BackupManifest } from "./types.ts";

/** Whether a backup holds the snapshot with these keys. */
export function holdsKeys(backup: BackupManifest, keys: BackupManifest["keys"]): boolean {
  const own = backup.keys;
  return own.root === keys.root && own.etc === keys.etc && own.var === keys.var;
}

/**
 * A backup and all that it builds upon, in the order in which they are restored.
 * @throws {Fault} E_NOT_FOUND, E_INTEGRITY where one of them is gone
 */
export function chainOf(backups: readonly BackupManifest[], id: string): readonly BackupManifest[] {
  const chain: BackupManifest[] = [];
  let wanted: string | undefined = id;
  while (wanted !== undefined) {
    const found: BackupManifest | undefined = backups.find((each) => each.id === wanted);
    if (found === undefined || chain.includes(found)) throw notThere(backups, id, wanted);
    chain.unshift(found);
    wanted = found.parent;
  }
  return chain;
}

function notThere(backups: readonly BackupManifest[], id: string, missing: string): Fault {
  if (id !== missing) {
    return new Fault({
      code: "E_INTEGRITY",
      message: `Cannot use backup ${id}: it builds upon ${missing}, which is gone`,
    });
  }
  const newest = backups.slice(-5).map((each) => each.id);
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find backup "${id}"`,
    hint: newest.length === 0 ? "there is none yet" : `the newest are ${newest.join(", ")}`,
  });
}

/** Backups that build upon one, near or far. */
export function neededBy(backups: readonly BackupManifest[], id: string): BackupManifest[] {
  const direct = backups.filter((each) => each.parent === id);
  return direct.flatMap((each) => [each, ...neededBy(backups, each.id)]);
}

/**
 * Ids of the backups that no rule keeps, and that nothing builds upon which is kept. Without a rule
 * all are kept. Pure.
 */
export function planBackupRetention(
  backups: readonly BackupManifest[],
  rules: RetentionRules,
): readonly string[] {
  if (Object.values(rules).every((rule) => rule === undefined)) return [];
  const numbered = backups.map((backup, index) => ({ backup, number: index + 1 }));
  const snapshots = numbered.map(({ backup, number }) => ({
    id: number,
    parent: undefined,
    branch: undefined,
    description: "",
    createdMs: backup.createdMs,
    isPinned: false,
    uuid: "",
  }));
  const gone = new Set(
    planRetention(
      {
        format: 1,
        defaultDeployment: undefined,
        snapshots,
        deployments: [],
        nextSnapshot: snapshots.length + 1,
        nextDeployment: 0,
      },
      rules,
    ),
  );
  const kept = numbered.filter(({ number }) => !gone.has(number)).map(({ backup }) => backup);
  const needed = new Set(
    kept.flatMap((backup) => {
      const line: string[] = [];
      for (let at = backup.parent; at !== undefined && !line.includes(at); ) {
        line.push(at);
        at = backups.find((each) => each.id === at)?.parent;
      }
      return line;
    }),
  );
  return numbered
    .filter(({ backup, number }) => gone.has(number) && !needed.has(backup.id))
    .map(({ backup }) => backup.id);
}
