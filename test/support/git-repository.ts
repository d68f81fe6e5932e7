import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A repository that a test fills. */
export interface TestRepository {
  readonly folder: string;
  /** `file:///…` */
  readonly url: string;
  /** Writes files and commits them; the commit. */
  commit(files: Readonly<Record<string, string>>): string;
  git(...args: string[]): string;
}

/** Makes an empty repository with the branch "main"; nothing of the user's configuration counts. */
export function createRepository(folder: string): TestRepository {
  mkdirSync(folder, { recursive: true });
  const git = (...args: string[]): string => {
    const run = Bun.spawnSync(["git", "-C", folder, ...args], {
      env: {
        PATH: process.env["PATH"],
        HOME: "/nonexistent",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "somebody",
        GIT_AUTHOR_EMAIL: "somebody@host.test",
        GIT_COMMITTER_NAME: "somebody",
        GIT_COMMITTER_EMAIL: "somebody@host.test",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    if (!run.success) throw new Error(`git ${args.join(" ")}: ${run.stderr.toString()}`);
    return run.stdout.toString().trim();
  };
  git("init", "-q", "-b", "main");
  return {
    folder,
    url: Bun.pathToFileURL(folder).href,
    git,
    commit(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      git("add", "-A");
      git("commit", "-q", "-m", "change", "--allow-empty");
      return git("rev-parse", "HEAD");
    },
  };
}
