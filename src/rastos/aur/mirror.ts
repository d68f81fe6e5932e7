import { chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { sanitise } from "../../kit/fault/redact.ts";
import { type BuildUser, findProgram, SEARCH_PATH } from "./build-user.ts";
import { type Captured, captured } from "./captured.ts";
import { COMMIT } from "./lock-file.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Where mirrors are kept, and how they are made. */
export interface MirrorOptions {
  readonly folder: string;
  /** Of the AUR, without a slash at its end. */
  readonly address: string;
  readonly user: BuildUser;
  /** For proxies and certificates only. */
  readonly environment: Variables;
}

/** Git's tree without anything in it: everything is new beside it. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const REF = "refs/heads/master";

/** Whoever runs git must not run anything else: no hooks, no helpers, no foreign settings. */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.symlinks=true",
  "fetch.fsckObjects=true",
  "transfer.fsckObjects=true",
  "protocol.allow=never",
  "protocol.http.allow=always",
  "protocol.https.allow=always",
  "protocol.file.allow=always",
  "gc.auto=0",
  "safe.directory=*",
];

const PASSED_ON = /^((https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO)$/i;

/**
 * The history of one package base, without a work tree: what is read comes from git's objects and
 * never through a link that somebody has put in place of a file. Git runs as the build user.
 */
export class BaseMirror {
  readonly base: string;
  readonly #folder: string;
  readonly #options: MirrorOptions;

  /** @param base a name that {@link isPackageName} has let pass */
  constructor(base: string, options: MirrorOptions) {
    this.base = base;
    this.#folder = join(options.folder, `${base}.git`);
    this.#options = options;
  }

  /** Fetches what is new. @throws {Fault} E_NETWORK; E_NOT_FOUND where there is no such base */
  async update(): Promise<void> {
    const { address, user } = this.#options;
    if (!existsSync(join(this.#folder, "HEAD"))) {
      mkdirSync(this.#folder, { recursive: true });
      chownSync(this.#folder, user.uid, user.gid);
      await this.#run(["init", "-q", "--bare", this.#folder], "make a mirror of");
    }
    const url = `${address}/${this.base}.git`;
    // By force: history that was written anew shows up in the review.
    const refs = `+${REF}:${REF}`;
    const args = ["fetch", "-q", "--no-tags", "--no-recurse-submodules", url, refs];
    const { exitCode, stderr } = await this.#git(args);
    if (exitCode === 0) return;
    const isMissing = /couldn't find remote ref|not found|does not exist|not appear/i.test(stderr);
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_NETWORK",
      message: `Cannot fetch "${this.base}" from "${address}": ${lastLine(stderr)}`,
    });
  }

  /**
   * The full name of a commit; undefined where it is not in the history.
   *
   * @param name 7 to 40 hexadecimal digits; undefined for the newest
   */
  async commit(name?: string): Promise<string | undefined> {
    if (!existsSync(join(this.#folder, "HEAD"))) return undefined;
    const args = ["rev-parse", "-q", "--verify", "--end-of-options"];
    const { exitCode, stdout } = await this.#git([...args, `${name ?? REF}^{commit}`]);
    const found = stdout.toString().trim();
    return exitCode === 0 && COMMIT.test(found) ? found : undefined;
  }

  /** The text of a file at a commit; undefined where there is none, or something else. */
  async read(commit: string, path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#git(["cat-file", "blob", `${commit}:${path}`]);
    return exitCode === 0 ? stdout.toString("utf8") : undefined;
  }

  /** All that has changed in all files, as a diff; from nothing where `from` is undefined. */
  async diff(from: string | undefined, to: string): Promise<string> {
    const how = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--text"];
    const args = ["diff", ...how, from ?? EMPTY_TREE, to];
    return (await this.#run(args, "compare commits of")).toString("utf8");
  }

  /** Author, date and subject of a commit, for people. */
  async describe(commit: string): Promise<string> {
    const args = ["show", "-s", "--no-color", "--date=short", "--format=%an, %ad: %s", commit];
    return sanitise((await this.#run(args, "read")).toString("utf8").trim());
  }

  /** Writes the files of a commit into a folder that the build user may write to. */
  async export(commit: string, folder: string): Promise<void> {
    const args = [`--work-tree=${folder}`, "checkout", "-q", "-f", commit, "--", "."];
    await this.#run(args, "unpack");
  }

  async #run(args: readonly string[], what: string): Promise<Buffer> {
    const { exitCode, stdout, stderr } = await this.#git(args);
    if (exitCode === 0) return stdout;
    throw new Fault({
      code: "E_IO",
      message: `Cannot ${what} "${this.base}": ${lastLine(stderr)}`,
    });
  }

  async #git(args: readonly string[]): Promise<Captured> {
    const { user, environment } = this.#options;
    const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
    const where = args[0] === "init" ? [] : [`--git-dir=${this.#folder}`];
    const variables: Record<string, string> = {
      PATH: SEARCH_PATH,
      HOME: "/nonexistent",
      LC_ALL: "C",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
    };
    for (const [name, value] of Object.entries(environment)) {
      if (value !== undefined && PASSED_ON.test(name)) variables[name] = value;
    }
    const command = [...user.prefix, findProgram("git"), ...settings, ...where, ...args];
    return await captured(command, variables);
  }
}

function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const line = lines.findLast((each) => /^(fatal|error):/.test(each)) ?? lines.at(-1);
  return sanitise(line?.replace(/^(fatal|error): /, "") ?? "git does not say why");
}
