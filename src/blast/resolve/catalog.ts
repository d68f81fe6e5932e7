import type { PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Candidate, FileRules } from "./candidate.ts";
import { Page } from "./page.ts";
import type { CoreMetadata, DirectSource, MaybePromise, PackageIndex } from "./port.ts";
import { select, type Wish } from "./select.ts";
import { MetadataUnusable, unusableReason } from "./unusable.ts";

/** What a page that has no project is. */
export const UNKNOWN = "unknown";
type Known = Page | typeof UNKNOWN;

/**
 * What the index has said so far. Shared by all forks of a resolution, and asked so that nothing
 * waits for what is at hand.
 */
export class Catalog {
  readonly rules: FileRules;
  private readonly index: PackageIndex;
  private readonly pages = new Map<string, MaybePromise<Known>>();
  private readonly metadataOf = new Map<Candidate, CoreMetadata>();

  constructor(index: PackageIndex, rules: FileRules) {
    this.index = index;
    this.rules = rules;
  }

  /**
   * Says that these pages will be needed, and what is likely to be taken from them: while one page
   * is waited for, the metadata behind others is on its way.
   */
  announce(names: readonly PackageName[], wishOf: (name: PackageName) => Announced): void {
    const news = names.filter((name) => !this.pages.has(name));
    if (news.length === 0) return;
    this.index.prefetch(news);
    for (const name of news) {
      const page = this.page(name, undefined);
      if (!(page instanceof Promise)) continue;
      const prefetch = (known: Known) => {
        if (known === UNKNOWN) return;
        const { range, wish } = wishOf(name);
        const choice = select(known, range, wish);
        if (choice.kind === "take") this.prefetchMetadata(choice.candidate);
      };
      // A failure is told to whoever waits for the page.
      page.then(prefetch, () => {});
    }
  }

  prefetchMetadata(candidate: Candidate): void {
    const { metadataFile } = candidate;
    if (metadataFile !== undefined && !this.metadataOf.has(candidate)) {
      this.index.prefetchMetadata(metadataFile);
    }
  }

  page(name: PackageName, source: DirectSource | undefined): MaybePromise<Known> {
    const key = source === undefined ? name : `${name} @ ${JSON.stringify(source)}`;
    const known = this.pages.get(key);
    if (known !== undefined) return known;
    const made = source === undefined ? this.projectPage(name) : this.sourcePage(name, source);
    this.pages.set(key, made);
    if (made instanceof Promise) {
      made.then(
        (page) => this.pages.set(key, page),
        () => {},
      );
    }
    return made;
  }

  /** What is known of a page without waiting. */
  pageAtHand(name: PackageName): Known | undefined {
    const known = this.pages.get(name);
    return known instanceof Promise ? undefined : known;
  }

  /** What a candidate says of itself; undefined if that can't be used, which it then tells. */
  metadata(name: PackageName, candidate: Candidate): MaybePromise<CoreMetadata | undefined> {
    const known = this.metadataOf.get(candidate);
    if (known !== undefined) return known;
    const { metadataFile } = candidate;
    if (metadataFile === undefined) throw new Error("a candidate without a file was chosen");
    try {
      const answer = this.index.metadata(metadataFile);
      return answer instanceof Promise
        ? answer.then(
            (metadata) => this.keep(name, candidate, metadata),
            (error: unknown) => spoil(candidate, error),
          )
        : this.keep(name, candidate, answer);
    } catch (error) {
      return spoil(candidate, error);
    }
  }

  private projectPage(name: PackageName): MaybePromise<Known> {
    const project = this.index.project(name);
    return project instanceof Promise
      ? project.then((page) => (page === undefined ? UNKNOWN : Page.ofProject(page, this.rules)))
      : project === undefined
        ? UNKNOWN
        : Page.ofProject(project, this.rules);
  }

  private sourcePage(name: PackageName, source: DirectSource): MaybePromise<Known> {
    const answer = this.index.direct(source);
    return answer instanceof Promise
      ? answer.then((found) => this.keepSource(name, found))
      : this.keepSource(name, answer);
  }

  private keepSource(
    name: PackageName,
    found: { readonly metadata: CoreMetadata; readonly source: DirectSource },
  ): Page {
    const { metadata, source } = found;
    const page = Page.ofSource(metadata, source, this.rules);
    const candidate = page.candidate(0);
    if (metadata.name !== name) {
      candidate.problem = { kind: "metadata", reason: `it is "${metadata.name}"` };
    }
    this.metadataOf.set(candidate, metadata);
    return page;
  }

  private keep(
    name: PackageName,
    candidate: Candidate,
    metadata: CoreMetadata,
  ): CoreMetadata | undefined {
    if (metadata.name !== name || metadata.version.key !== candidate.version.key) {
      const reason = `its metadata is that of ${metadata.name} ${metadata.version}`;
      return spoil(candidate, new MetadataUnusable(reason));
    }
    const { requiresPython } = metadata;
    if (candidate.requiresPython === undefined && requiresPython !== undefined) {
      const fit = this.rules.pythonFit(requiresPython);
      candidate.requiresPython = requiresPython;
      if (fit !== "fits") {
        candidate.problem = { kind: "python", requires: requiresPython, soft: fit === "too-new" };
      }
    }
    this.metadataOf.set(candidate, metadata);
    return metadata;
  }
}

/** What a page is announced for. */
export interface Announced {
  readonly range: VersionRange;
  readonly wish: Wish;
}

function spoil(candidate: Candidate, error: unknown): undefined {
  const reason = unusableReason(error);
  if (reason === undefined) throw error;
  candidate.problem = { kind: "metadata", reason };
  return undefined;
}
