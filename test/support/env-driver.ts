/**
 * Changes an environment as told by a JSON file, for tests that kill it or let its calls fail: run
 * as `bun env-driver.ts PLAN.json`, with TRIAD_FAULTS if wanted.
 */
import { readFileSync } from "node:fs";
import { openEnvironment } from "../../src/blast/env/environment.ts";
import type { LinkMode } from "../../src/blast/env/link.ts";
import { recover } from "../../src/blast/env/recover.ts";
import { applyChanges } from "../../src/blast/env/transaction.ts";
import { ports } from "../../src/blast/ports.ts";
import { createInstallWorker } from "../../src/workers.ts";
import { readWheel } from "./blast-env.ts";

/** What the driver is to do. */
export interface DriverPlan {
  readonly venv: string;
  /** Folders that createWheel has filled. */
  readonly install: readonly string[];
  /** Names of distributions. */
  readonly remove: readonly string[];
  readonly threads?: number;
  readonly linkMode?: LinkMode;
  readonly recoverOnly?: boolean;
}

if (import.meta.main) {
  const plan = JSON.parse(readFileSync(process.argv.at(-1) ?? "", "utf8")) as DriverPlan;
  const environment = openEnvironment(plan.venv);
  recover(environment, "driver");
  if (plan.threads !== undefined) ports.createInstallWorker = createInstallWorker;
  const install = plan.install.map((folder) => ({ wheel: readWheel(folder), requested: true }));
  const remove = environment.installed().filter(({ name }) => plan.remove.includes(name));
  if (plan.recoverOnly !== true) {
    const { threads, linkMode } = plan;
    const result = await applyChanges(
      environment,
      { install, remove },
      {
        command: "driver",
        ...(threads === undefined ? {} : { threads }),
        ...(linkMode === undefined ? {} : { linkMode }),
      },
    );
    await Bun.write(Bun.stderr, `${result.linkMode}\n`);
  }
}
