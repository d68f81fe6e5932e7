import { Fault } from "../../kit/fault/fault.ts";

/** A program of the system that does a part of the work. */
export interface Tool {
  readonly program: string;
  /** Who has it, for those who have not. */
  readonly packageName: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** After "Cannot": what fails when it fails. */
  readonly action: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const EXCERPT_LINES_MAX = 12;

/**
 * Runs a program to its end, in a small environment without locale and time zone.
 *
 * @returns what it has printed
 * @throws {Fault} E_NOT_FOUND when it is not installed, E_IO with its words when it fails
 */
export function runTool(tool: Tool): Buffer {
  const { program, args, input, action, environment } = tool;
  const path = findTool(program);
  if (path === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot ${action}: ${program} is not installed`,
      hint: `install the package ${tool.packageName}`,
    });
  }
  const child = Bun.spawnSync([path, ...args], {
    env: { PATH: searchPath(), LC_ALL: "C.UTF-8", TZ: "UTC", ...environment },
    stdin: input === undefined ? "ignore" : Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (child.success) return child.stdout;
  const words = `${child.stderr.toString()}${child.stdout.toString()}`.trim();
  const code = child.exitCode ?? child.signalCode;
  throw new Fault({
    code: /no space left/i.test(words) ? "E_NO_SPACE" : "E_IO",
    message: `Cannot ${action}: ${program} ended with ${code}`,
    excerpt: words === "" ? undefined : words.split("\n").slice(-EXCERPT_LINES_MAX),
  });
}

/** Where a program is; sbin is looked at too, as users have it in their PATH only sometimes. */
export function findTool(program: string): string | undefined {
  return Bun.which(program, { PATH: searchPath() }) ?? undefined;
}

function searchPath(): string {
  return `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;
}
