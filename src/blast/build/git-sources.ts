/** Sources in git repositories: mirrors in the cache, and checkouts of single commits. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { isLock, tryLock } from "../../kit/store/lock.ts";
import type { DirectSource } from "../resolve/port.ts";
import { type GitAddress, gitAddress } from "./git-address.ts";
import { Git } from "./git-command.ts";

/** A source in a repository. */
export type GitSource = Extract<DirectSource, { kind: "git" }>;

/** How repositories are fetched. */
export interface GitOptions {
  /** Where mirrors are kept. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Only what was fetched before. */
  readonly offline: boolean;
}

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const SHORT_COMMIT = /^[0-9a-f]{4,64}$/i;
const POLL_MS = 100;
/** Nothing holds a lock of git for so long. */
const STALE_MS = 60_000;

/** Above what the server has said of its refs, for who cannot ask it. */
const SAID = "refs/blast/said";

/** @see {@link GitSource} */
export class GitSources {
  readonly #options: GitOptions;
  readonly #commits = new Map<string, Promise<string>>();

  constructor(options: GitOptions) {
    this.#options = options;
  }

  /**
   * The commit that a source means: asked of the server, except for one that is here already.
   *
   * @throws {Fault} E_NOT_FOUND for a revision that is not there, or without git; E_NETWORK
   */
  commit(source: GitSource): Promise<string> {
    const key = JSON.stringify([source.url, source.revision]);
    let commit = this.#commits.get(key);
    if (commit === undefined) {
      commit = this.#withMirror(source, (mirror) => mirror.commit(source.revision));
      this.#commits.set(key, commit);
    }
    return commit;
  }

  /**
   * Checks a commit out, with its submodules, into a folder that does not exist yet.
   *
   * @throws {Fault} E_NETWORK for submodules that cannot be had
   */
  async checkOut(source: GitSource, commit: string, folder: string): Promise<void> {
    await this.#withMirror(source, async (mirror) => {
      await mirror.commit(commit);
      await mirror.checkOut(commit, folder);
    });
  }

  async #withMirror<T>(source: GitSource, work: (mirror: Mirror) => Promise<T>): Promise<T> {
    const { folder, variables, offline } = this.#options;
    const shown = gitAddress(source.url, { configuration: () => ({}) }).url;
    const git = new Git(variables, shown);
    const address = gitAddress(source.url, git);
    const digest = new Bun.CryptoHasher("sha256").update(address.url).digest("hex").slice(0, 32);
    const path = join(folder, digest);
    mkdirSync(folder, { recursive: true });
    using _lock = await lockOf(`${path}.lock`);
    return await work(new Mirror(git, address, { path, offline }));
  }
}

async function lockOf(path: string): Promise<Disposable> {
  for (;;) {
    const lock = tryLock(path, "blast");
    if (isLock(lock)) return lock;
    await Bun.sleep(POLL_MS);
  }
}

/** A bare clone, locked. Its URL is not in its configuration. */
class Mirror {
  readonly #git: Git;
  readonly #address: GitAddress;
  readonly #path: string;
  readonly #offline: boolean;

  constructor(
    git: Git,
    address: GitAddress,
    options: { readonly path: string; readonly offline: boolean },
  ) {
    this.#git = git;
    this.#address = address;
    this.#path = options.path;
    this.#offline = options.offline;
  }

  async commit(revision: string | undefined): Promise<string> {
    if (revision?.startsWith("-") === true) throw this.#unknown(revision);
    await this.#make();
    if (revision !== undefined && COMMIT.test(revision)) {
      return (await this.#resolve(revision)) ?? (await this.#fetchCommit(revision));
    }
    if (this.#offline) return this.#known(revision);
    const listed = await this.#ask(revision);
    if (listed === undefined) return this.#short(revision);
    if ((await this.#resolve(listed.commit)) === undefined) await this.#fetch([listed.name]);
    const commit = await this.#resolve(listed.commit);
    // Moved between the two questions: then what was fetched counts.
    if (commit === undefined) return this.#known(revision);
    const note = ["update-ref", `${SAID}/${listed.name}`, commit];
    await this.#git.try(["--git-dir", this.#path, ...note]);
    return commit;
  }

  /** Makes the mirror where there is none, or half of one: git makes HEAD first, config later. */
  async #make(): Promise<void> {
    if (["HEAD", "config"].every((file) => existsSync(join(this.#path, file)))) return;
    this.#removeStaleLocks();
    await this.#git.run(["init", "-q", "--bare", "--template=", this.#path], "make a mirror");
  }

  /**
   * Git leaves its locks behind where it is killed. We hold our own, so they can only be those of a
   * git that has outlived its blast, which has them for moments.
   */
  #removeStaleLocks(): void {
    const places = [this.#path, join(this.#path, "refs")];
    for (const [index, place] of places.entries()) {
      for (const name of namesBelow(place, index > 0)) {
        if (!name.endsWith(".lock")) continue;
        const path = join(place, name);
        const heldMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
        if (heldMs > STALE_MS) rmSync(path, { force: true });
      }
    }
  }

  async checkOut(commit: string, folder: string): Promise<void> {
    const { url, variables } = this.#address;
    const what = `check out "${commit}" of "${url}"`;
    const at = ["-C", folder];
    // Shared: objects are not copied, and those that no branch has are there too.
    const clone = ["clone", "-q", "--shared", "--no-checkout", "--template="];
    await this.#git.run([...clone, this.#path, folder], what);
    // Submodules may be named relative to it, and large files lie there.
    await this.#git.run([...at, "remote", "set-url", "origin", url], what);
    await this.#git.run([...at, "checkout", "-q", "--detach", commit], what, variables);
    if (!existsSync(join(folder, ".gitmodules"))) return;
    await this.#git.run(
      [...at, "submodule", "--quiet", "update", "--init", "--recursive"],
      `fetch the submodules of "${url}"`,
      variables,
    );
  }

  /** The commit that something means in the mirror; for a tag, the one that it names. */
  async #resolve(name: string): Promise<string | undefined> {
    const { exitCode, output } = await this.#git.try([
      "--git-dir",
      this.#path,
      "rev-parse",
      "--quiet",
      "--verify",
      `${name}^{commit}`,
    ]);
    return exitCode === 0 && COMMIT.test(output) ? output : undefined;
  }

  /** What the server says of a branch, a tag, another ref, or its HEAD; branches go first. */
  async #ask(
    revision: string | undefined,
  ): Promise<{ readonly name: string; readonly commit: string } | undefined> {
    const { url, variables } = this.#address;
    const names = namesOf(revision);
    const patterns = names.flatMap((name) => [name, `${name}^{}`]);
    const text = await this.#git.run(
      ["ls-remote", "--", url, ...patterns],
      `ask "${url}"`,
      variables,
    );
    const lines = text.split("\n").map((line) => line.split("\t"));
    for (const name of names) {
      // "^{}" is what an annotated tag leads to.
      for (const wanted of [`${name}^{}`, name]) {
        const commit = lines.find(([, ref]) => ref === wanted)?.[0];
        if (commit !== undefined) return { name, commit };
      }
    }
    return undefined;
  }

  /** All branches and tags, which version numbers are made from, and what is not among them. */
  async #fetch(names: readonly string[]): Promise<void> {
    const { url, variables } = this.#address;
    const others = names.filter((name) => !/^refs\/(heads|tags)\//.test(name));
    const args = [
      "--git-dir",
      this.#path,
      ...["fetch", "-q", "--force", "--prune", "--no-tags", "--no-write-fetch-head"],
      "--no-recurse-submodules",
      url,
      "+refs/heads/*:refs/heads/*",
      "+refs/tags/*:refs/tags/*",
      ...others.map((name) => `+${name}:refs/blast/fetched/${name}`),
    ];
    this.#removeStaleLocks();
    await this.#git.run(args, `fetch "${url}"`, variables);
  }

  async #fetchCommit(commit: string): Promise<string> {
    if (this.#offline) throw this.#unknown(commit);
    await this.#fetch([]);
    const found = await this.#resolve(commit);
    if (found !== undefined) return found;
    // No branch has it any more, or none has it yet; many servers give it all the same.
    const { url, variables } = this.#address;
    const args = ["--git-dir", this.#path, "fetch", "-q", "--no-tags", url];
    const target = `+${commit}:refs/blast/commits/${commit}`;
    const { exitCode } = await this.#git.try([...args, target], variables);
    const late = exitCode === 0 ? await this.#resolve(commit) : undefined;
    if (late === undefined) throw this.#unknown(commit);
    return late;
  }

  async #short(revision: string | undefined): Promise<string> {
    if (revision === undefined || !SHORT_COMMIT.test(revision)) throw this.#unknown(revision);
    const here = await this.#resolve(revision);
    if (here !== undefined) return here;
    await this.#fetch([]);
    const found = await this.#resolve(revision);
    if (found === undefined) throw this.#unknown(revision);
    return found;
  }

  /** As the mirror has it. */
  async #known(revision: string | undefined): Promise<string> {
    for (const name of namesOf(revision)) {
      const isOwn = /^refs\/(heads|tags)\//.test(name);
      const fetched = isOwn ? name : `refs/blast/fetched/${name}`;
      for (const local of this.#offline ? [`${SAID}/${name}`, fetched] : [fetched]) {
        const found = await this.#resolve(local);
        if (found !== undefined) return found;
      }
    }
    const short = revision !== undefined && SHORT_COMMIT.test(revision);
    const found = short ? await this.#resolve(revision) : undefined;
    if (found === undefined) throw this.#unknown(revision);
    return found;
  }

  #unknown(revision: string | undefined): Fault {
    const what = revision === undefined ? "a commit" : `"${revision}"`;
    const offline = this.#offline ? " in what was fetched before" : "";
    return new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find ${what} in "${this.#address.url}"${offline}`,
      hint: this.#offline
        ? "without --offline the server is asked"
        : "a revision is a branch, a tag, or a commit",
    });
  }
}

/** Nothing where there is no such folder. */
function namesBelow(folder: string, isDeep: boolean): string[] {
  try {
    return readdirSync(folder, { recursive: isDeep, encoding: "utf8" });
  } catch {
    return [];
  }
}

/** The refs that a revision may be, in the order in which they count. */
function namesOf(revision: string | undefined): readonly string[] {
  if (revision === undefined || revision === "HEAD") return ["HEAD"];
  if (revision.startsWith("refs/")) return [revision];
  return [`refs/heads/${revision}`, `refs/tags/${revision}`];
}
