/** git, as far as fetching sources needs it. */
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import { plainVariables } from "./build-variables.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** What a command of git has said. */
export interface GitAnswer {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

/** Of what git says when it fails, the end is the reason. */
const LINES_MAX = 10;

/** git with an environment in which it asks nobody. */
export class Git {
  readonly #program: string;
  readonly #variables: Record<string, string>;

  /** @throws {Fault} E_NOT_FOUND where there is no git */
  constructor(user: Variables, wantedFor: string) {
    const path = user["PATH"];
    const program = Bun.which("git", path === undefined ? {} : { PATH: path });
    if (program === null) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot fetch "${wantedFor}": git is not installed`,
        hint: "install git, or make sure that it is in PATH",
      });
    }
    this.#program = program;
    this.#variables = { ...plainVariables(user), GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  }

  /** Runs a command; a failure is an answer too. */
  async try(args: readonly string[], extra: Variables = {}): Promise<GitAnswer> {
    const child = Bun.spawn([this.#program, ...args], {
      env: { ...this.#variables, ...extra },
      cwd: "/",
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors, exitCode] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    return { exitCode, output: output.trim(), errors: redactCredentials(errors.trim()) };
  }

  /**
   * Runs a command that has to succeed.
   *
   * @param what for the message: `fetch "https://…"`
   * @throws {Fault} E_NETWORK with what git says
   */
  async run(args: readonly string[], what: string, extra: Variables = {}): Promise<string> {
    const { exitCode, output, errors } = await this.try(args, extra);
    if (exitCode === 0) return output;
    const lines = errors.split("\n").filter((line) => line.trim() !== "");
    throw new Fault({
      code: "E_NETWORK",
      message: `Cannot ${what}: git ended with exit code ${exitCode}`,
      excerpt: lines.slice(-LINES_MAX),
    });
  }

  /** Further configuration, as variables: no other user can read it. */
  configuration(entries: readonly (readonly [key: string, value: string])[]): Variables {
    const first = Number(this.#variables["GIT_CONFIG_COUNT"] ?? 0) || 0;
    const all: Record<string, string> = { GIT_CONFIG_COUNT: String(first + entries.length) };
    for (const [index, [key, value]] of entries.entries()) {
      all[`GIT_CONFIG_KEY_${first + index}`] = key;
      all[`GIT_CONFIG_VALUE_${first + index}`] = value;
    }
    return all;
  }
}
