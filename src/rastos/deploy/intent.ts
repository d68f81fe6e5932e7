import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { stateFolder } from "../snapshot/layout.ts";
import { isId } from "../snapshot/record.ts";

/**
 * What is being done to deployments, written before its first step and taken away after its last
 * one: the btrfs and the boot partition cannot change at once, so whoever comes next finishes it or
 * undoes it (see recover.ts).
 */
export type Intent =
  | { readonly kind: "deploy"; readonly snapshot: number; readonly deployment: number }
  | { readonly kind: "remove"; readonly deployments: readonly number[] };

function intentPath(top: string): string {
  return join(stateFolder(top), "deploy.json");
}

/** Writes it; it is on the disk on return. @throws {Fault} */
export function writeIntent(top: string, intent: Intent): void {
  writeFileAtomic({ path: intentPath(top), content: `${JSON.stringify(intent)}\n`, mode: 0o600 });
}

/** It is done. A power cut may bring it back, so doing it once more must do no harm. */
export function clearIntent(top: string): void {
  rmSync(intentPath(top), { force: true });
}

/** What was begun and not finished; undefined when nothing was. */
export function readIntent(top: string): Intent | undefined {
  try {
    return parseIntent(JSON.parse(readFileSync(intentPath(top), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

function parseIntent(value: unknown): Intent | undefined {
  const { kind, snapshot, deployment, deployments } = (value ?? {}) as Record<string, unknown>;
  if (kind === "deploy" && isId(snapshot) && isId(deployment))
    return { kind, snapshot, deployment };
  if (kind === "remove" && Array.isArray(deployments) && deployments.every(isId)) {
    return { kind, deployments };
  }
  return undefined;
}
