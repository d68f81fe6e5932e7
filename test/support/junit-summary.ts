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
  /** Of the second run of files with failed tests, if there was one. */
  readonly secondJunit?: string | undefined;
  readonly runnerExit: number;
  /** Checks beside the tests that failed, such as "lint". */
  readonly failedChecks: readonly string[];
}

/**
 * Counts a test run. A test that failed beside others and passed in the second run, where its file
 * was alone on the machine, counts as passed and is named as flaky. A failed check counts as one
 * failure each, and so does a runner that failed without naming a test (a file that does not load
 * is in no junit file).
 */
export function summarise(outcome: Outcome): Summary {
  const { runnerExit, failedChecks } = outcome;
  const first = casesOf(outcome.junit);
  const mended = filesThatPassed(casesOf(outcome.secondJunit));
  const lines: string[] = [];
  const messages: string[] = [];
  let failed = 0;
  let skipped = 0;
  for (const { file, name, failure, isSkipped } of first) {
    const about = `${file}: ${name}`;
    if (failure !== undefined) {
      const isFlaky = mended.has(file);
      if (!isFlaky) failed++;
      const word = isFlaky ? "flaky (passed when run again, alone)" : "failed";
      lines.push(`${word}: ${about}`);
      messages.push(`${word}: ${about}${indented(shortened(failure))}`);
    } else if (isSkipped) {
      skipped++;
      lines.push(`skipped: ${about}`);
    }
  }
  const tests = first.length;
  const passed = tests - failed - skipped;
  if (runnerExit !== 0 && messages.length === 0) {
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

/** More files than that with failures are no chance. */
const SECOND_RUN_FILES_MAX = 4;

/** The files with failed tests, where they are few enough for a second run, alone. */
export function filesForSecondRun(junit: string | undefined): readonly string[] {
  const failed = casesOf(junit).filter(({ failure }) => failure !== undefined);
  const files = new Set(failed.map(({ file }) => file));
  return files.size > SECOND_RUN_FILES_MAX ? [] : [...files].sort();
}

/** Files of which something passed and nothing failed. */
function filesThatPassed(cases: readonly Case[]): ReadonlySet<string> {
  const files = new Set(cases.filter((one) => !one.isSkipped).map(({ file }) => file));
  for (const { file, failure } of cases) if (failure !== undefined) files.delete(file);
  return files;
}

interface Case {
  readonly file: string;
  readonly name: string;
  /** What it said; undefined: it has not failed. */
  readonly failure: string | undefined;
  readonly isSkipped: boolean;
}

function casesOf(junit = ""): readonly Case[] {
  const matches = junit.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs);
  return [...matches].map(([, attributes = "", body = ""]) => {
    const hasFailed = /<(failure|error)\b/.test(body);
    return {
      file: attribute(attributes, "file"),
      name: attribute(attributes, "name"),
      failure: hasFailed ? attribute(body, "message") : undefined,
      isSkipped: !hasFailed && body.includes("<skipped"),
    };
  });
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

/** `second-run FILE` names the files to run again; `count EXIT FILE FILE2 CHECK…` counts. */
if (import.meta.main) {
  const [verb, ...words] = process.argv.slice(2);
  const read = (path = ""): string | undefined =>
    existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (verb === "second-run") {
    for (const file of filesForSecondRun(read(words[0]))) process.stdout.write(`${file}\n`);
  } else {
    const [runnerExit = "1", first, second, ...failedChecks] = words;
    const summary = summarise({
      junit: read(first),
      secondJunit: read(second),
      runnerExit: Number(runnerExit),
      failedChecks,
    });
    const { passed, failed, skipped } = summary;
    const last = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    process.stdout.write(`${[...summary.messages, ...summary.lines, last].join("\n")}\n`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
}
