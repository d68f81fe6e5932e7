import { expect, test } from "bun:test";
import { summarise } from "./junit-summary.ts";

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
