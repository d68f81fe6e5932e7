import { expect } from "bun:test";
import {
  meddle,
  ourArm,
  type PackageArm,
  pacmanArm,
  rootState,
  type StepResult,
} from "./package-arms.ts";
import type { Scenario } from "./package-scenarios.ts";
import { makeRepository } from "./pacman-repository.ts";

/** Lets all three go through a scenario; fails where they part. */
export async function compareArms(scenario: Scenario, folder: string): Promise<void> {
  const repository = `${folder}/repository`;
  const arms = [
    ourArm(`${folder}/libalpm`, "libalpm", repository),
    ourArm(`${folder}/pacman`, "pacman", repository),
    pacmanArm(`${folder}/itself`, repository),
  ];
  let hasDone = false;
  for (const [index, step] of scenario.steps.entries()) {
    const where = `step ${index}: ${JSON.stringify(step).slice(0, 200)}`;
    if (step.kind === "write" || step.kind === "link") {
      for (const arm of arms) meddle(arm.root, step);
      continue;
    }
    if (step.kind === "publish") {
      Bun.spawnSync(["rm", "-rf", repository]);
      makeRepository(repository, step.specs);
    }
    const results = await Promise.all(arms.map((arm) => arm.perform(step)));
    expectSame(arms, results, where);
    hasDone ||= step.kind === "change" && results[0]?.isDone === true;
  }
  // A scenario in which nothing ever works shows nothing; a generated one may.
  if (!scenario.name.startsWith("generated")) expect(hasDone).toBe(true);
}

function expectSame(
  arms: readonly PackageArm[],
  results: readonly StepResult[],
  where: string,
): void {
  const [first, second, oracle] = arms.map((arm, index) => ({
    where,
    isDone: results[index]?.isDone,
    files: rootState(arm.root),
  }));
  const faults = results.map(({ fault }) => fault);
  expect({ ...first, faults }).toEqual({ ...oracle, faults } as never);
  expect({ ...second, faults }).toEqual({ ...oracle, faults } as never);
  // And both of ours say the same, of the same plan; pacman's two streams keep no common order.
  const [ours, command] = results.map(({ plan, ...rest }) => ({
    where,
    ...rest,
    changes: plan?.changes,
    notes: [...(plan?.notes ?? [])].sort(),
  }));
  expect(command).toEqual(ours as never);
}
