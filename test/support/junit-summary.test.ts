import { describe, expect, test } from "bun:test";
import { filesForSecondRun, summarise } from "./junit-summary.ts";

const JUNIT = `<testsuites name="bun test" tests="4" failures="1" skipped="1">
<testsuite name="a.test.ts" file="a.test.ts">
  <testcase name="good" classname="" time="0.1" file="a.test.ts" line="1" assertions="1" />
  <testcase name="&lt;a&gt; &amp; &quot;b&quot;&#10;c" classname="" file="a.test.ts" line="2">
    <failure type="AssertionError" message="1&#10;2">text of <skipped /> in it</failure>
  </testcase>
  <testcase name="later [skipped: needs root]" file="a.test.ts"><skipped /></testcase>
  <testcase name="good too" file="a.test.ts" line="1" assertions="1" />
</testsuite></testsuites>`;

test("counts each test once and names what did not pass", () => {
  expect(summarise({ junit: JUNIT, runnerExit: 1, failedChecks: [] })).toEqual({
    passed: 2,
    failed: 1,
    skipped: 1,
    lines: ['failed: a.test.ts: <a> & "b"\nc', "skipped: a.test.ts: later [skipped: needs root]"],
    messages: ['failed: a.test.ts: <a> & "b"\nc\n    1\n    2'],
  });
});

test("a failed check is a failure", () => {
  const summary = summarise({ junit: JUNIT, runnerExit: 1, failedChecks: ["lint", "types"] });
  expect(summary.failed).toBe(3);
  expect(summary.lines).toContain("failed: lint");
});

test("a runner that fails without naming a test is a failure", () => {
  const junit = '<testcase name="good" file="a.test.ts" />';
  expect(summarise({ junit, runnerExit: 1, failedChecks: [] })).toMatchObject({ failed: 1 });
  expect(summarise({ junit, runnerExit: 0, failedChecks: [] })).toMatchObject({ failed: 0 });
});

test("no test at all is a failure", () => {
  const summary = summarise({ junit: undefined, runnerExit: 0, failedChecks: [] });
  expect(summary).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
});

describe("a second run of the files that failed", () => {
  const passed = '<testcase name="x" file="a.test.ts" /><testcase name="y" file="a.test.ts" />';

  test("is asked for where they are few", () => {
    expect(filesForSecondRun(JUNIT)).toEqual(["a.test.ts"]);
    expect(filesForSecondRun(passed)).toEqual([]);
    const failures = Array.from({ length: 5 }, (_, n) => failedIn(`${n}.test.ts`));
    expect(filesForSecondRun(failures.slice(0, 4).join(""))).toHaveLength(4);
    expect(filesForSecondRun(failures.join(""))).toEqual([]);
  });

  test("that passes makes a failure flaky: named, and not counted", () => {
    const summary = summarise({
      junit: failedIn("a.test.ts"),
      secondJunit: passed,
      runnerExit: 1,
      failedChecks: [],
    });
    expect(summary).toMatchObject({ passed: 1, failed: 0 });
    expect(summary.lines).toEqual(["flaky (passed when run again, alone): a.test.ts: x"]);
    expect(summary.messages[0]).toContain("it is so");
  });

  test.each([
    ["fails too", failedIn("a.test.ts")],
    ["fails elsewhere in the file", `${passed}${failedIn("a.test.ts", "z")}`],
    ["is of another file", passed.replaceAll("a.test", "b.test")],
    ["only skips", '<testcase name="x" file="a.test.ts"><skipped /></testcase>'],
    ["wrote nothing", undefined],
  ])("that %s mends nothing", (_, secondJunit) => {
    const junit = failedIn("a.test.ts");
    const summary = summarise({ junit, secondJunit, runnerExit: 1, failedChecks: [] });
    expect(summary).toMatchObject({ passed: 0, failed: 1 });
  });
});

function failedIn(file: string, name = "x"): string {
  return `<testcase name="${name}" file="${file}"><failure message="it is so" /></testcase>`;
}
