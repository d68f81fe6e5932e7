import { expect, setDefaultTimeout, test } from "bun:test";
import { compareArms } from "../../support/package-comparison.ts";
import { randomScenarios } from "../../support/package-scenarios.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Three arms, each with many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman"));
const SEED = Number(process.env["PACKAGES_SEED"] ?? 20_261_121);
const COUNT = Number(process.env["PACKAGES_COUNT"] ?? 18);
const scenarios = randomScenarios(COUNT, SEED);

describeUnless(missing)("ours and pacman itself, on repositories made by chance", () => {
  for (const scenario of scenarios) {
    test(`agree: ${scenario.name}`, async () => {
      using work = createWorkspace();
      await compareArms(scenario, work.path);
    });
  }
});

test("the generated repositories are of all kinds", () => {
  const specs = scenarios.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "publish" ? step.specs : [])),
  );
  for (const key of ["depends", "provides", "conflicts", "replaces", "groups"] as const) {
    expect(specs.filter((spec) => (spec[key]?.length ?? 0) > 0).length).toBeGreaterThan(5);
  }
});
