import { existsSync, readFileSync } from "node:fs";

/** What the runner's junit file, its exit code and the other checks come to. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of failed and skipped tests, one line each, and of the checks that failed. */
  readonly lines: readonly string[];
  /** What each failed test said. */
  readonly messages: readonly string[];
}

interface Outcome {
  /** Undefined when the runner wrote none. */
  readonly junit: string | undefined;
  readonly runnerExit: number;
  /** Checks beside the tests that failed, such as "lint". */
  readonly failedChecks: readonly string[];
}

/**
 * Counts a test run. A failed check counts as one failure each, and so does a runner that failed
 * without naming a test (a file that does not load is in no junit file).
 */
export function summarise(outcome: Outcome): Summary {
  const { junit = "", runnerExit, failedChecks } = outcome;
  const lines: string[] = [];
  const messages: string[] = [];
  let failed = 0;
  let skipped = 0;
  let tests = 0;
  for (const match of junit.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const [, attributes = "", body = ""] = match;
    tests++;
    const name = `${attribute(attributes, "file")}: ${attribute(attributes, "name")}`;
    if (/<(failure|error)\b/.test(body)) {
      failed++;
      lines.push(`failed: ${name}`);
      messages.push(`failed: ${name}${indented(shortened(attribute(body, "message")))}`);
    } else if (body.includes("<skipped")) {
      skipped++;
      lines.push(`skipped: ${name}`);
    }
  }
  const passed = tests - failed - skipped;
  if (runnerExit !== 0 && failed === 0) {
    failed++;
    lines.push(`failed: the test runner itself (exit code ${runnerExit}, see above)`);
  } else if (tests === 0) {
    failed++;
    lines.push("failed: no test ran");
  }
  for (const check of failedChecks) {
    failed++;
    lines.push(`failed: ${check}`);
  }
  return { passed, failed, skipped, lines: lines.sort(), messages };
}

const MESSAGE_CHARACTERS = 2000;

/** Its begin, and its end: the console of a machine says last what went wrong. */
function shortened(text: string): string {
  if (text.length <= 2 * MESSAGE_CHARACTERS) return text;
  return `${text.slice(0, MESSAGE_CHARACTERS)}\n[…]\n${text.slice(-MESSAGE_CHARACTERS)}`;
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, "    ").replace(/^/, "\n");
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(\w+);/g, (whole, entity: string) => entities[entity] ?? whole);
}

if (import.meta.main) {
  const [path = "", runnerExit = "1", ...failedChecks] = process.argv.slice(2);
  const junit = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const summary = summarise({ junit, runnerExit: Number(runnerExit), failedChecks });
  const { passed, failed, skipped } = summary;
  const last = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  process.stdout.write(`${[...summary.messages, ...summary.lines, last].join("\n")}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
