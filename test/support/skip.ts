import { describe, test } from "bun:test";

type Body = () => void | Promise<void>;

/**
 * `test`, or a skip that carries its reason in the test's name, so that the runner prints it and
 * bin/test lists it. A skip without a reason does not exist in this suite.
 *
 * @param reason why the test cannot run here; undefined when it can
 */
export function testUnless(
  reason: string | undefined,
): (name: string, body: Body, timeoutMs?: number) => void {
  if (reason === undefined) return (name, body, timeoutMs) => test(name, body, timeoutMs);
  return (name, body) => test.skip(withReason(name, reason), body);
}

/** As {@link testUnless}, for a whole group: with a reason the group's body never runs. */
export function describeUnless(reason: string | undefined): (name: string, body: Body) => void {
  if (reason === undefined) return (name, body) => describe(name, () => void body());
  return (name) => test.skip(withReason(name, reason), () => undefined);
}

/** The first of several reasons, or undefined when all is there. */
export function firstReason(...reasons: (string | undefined)[]): string | undefined {
  return reasons.find((reason) => reason !== undefined);
}

/** A reason when the process is not root. */
export function needsRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "needs root";
}

/** A reason when a program is not in PATH (or in sbin, where Debian keeps mkfs). */
export function needsProgram(...names: string[]): string | undefined {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const missing = names.filter((name) => Bun.which(name, { PATH: path }) === null);
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}`;
}

function withReason(name: string, reason: string): string {
  return `${name} [skipped: ${reason}]`;
}
