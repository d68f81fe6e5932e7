import { chmodSync } from "node:fs";
import {
  type AurEvent,
  type AurOptions,
  buildAurPackages,
} from "../../src/rastos/aur/build-packages.ts";
import type { AurReview } from "../../src/rastos/aur/review.ts";
import { type AurServer, startAurServer } from "./aur-server.ts";
import { makeRepository, type TestRepository } from "./pacman-repository.ts";
import { firstReason, needsProgram, needsRoot } from "./skip.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** A reason when packages of the AUR cannot be built here. */
export function needsAurWorld(): string | undefined {
  return firstReason(
    needsRoot(),
    needsProgram("makepkg", "pacman", "bwrap", "git", "bsdtar", "fakeroot", "setpriv"),
  );
}

/** An AUR, a repository of official packages, and what was asked and told. */
export interface AurWorld extends AsyncDisposable {
  readonly work: Workspace;
  readonly aur: AurServer;
  readonly repository: TestRepository;
  readonly reviews: AurReview[];
  readonly events: AurEvent[];
  /** Builds in a layer over this machine's own system; every review passes. */
  build(names: readonly string[], more?: Partial<AurOptions>): Promise<readonly string[]>;
}

export function makeAurWorld(): AurWorld {
  const work = createWorkspace();
  // The build user has to pass through.
  chmodSync(work.path, 0o711);
  const aur = startAurServer(work.folder("aur"));
  const repository = makeRepository(work.folder("repository"), [
    {
      name: "official-tool",
      version: "2-1",
      depends: ["official-lib"],
      files: { "usr/bin/official-tool": { content: "#!/bin/sh\necho made\n", mode: 0o755 } },
    },
    { name: "official-lib", version: "3-1", files: { "usr/lib/official-lib": "lib" } },
  ]);
  const reviews: AurReview[] = [];
  const events: AurEvent[] = [];
  return {
    work,
    aur,
    repository,
    reviews,
    events,
    build: (names, more = {}) =>
      buildAurPackages(names, {
        packages: {
          root: "/",
          repositories: [{ ...repository, signatureLevel: "Never" }],
        },
        environment: { TRIAD_AUR_URL: aur.url },
        cacheFolder: work.at("cache"),
        lockFile: work.at("aur.lock"),
        approve: async (review) => {
          reviews.push(review);
          return true;
        },
        onEvent: (event) => {
          events.push(event);
        },
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await aur[Symbol.asyncDispose]();
      work[Symbol.dispose]();
    },
  };
}
