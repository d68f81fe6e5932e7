import { VersionRange } from "../pep/range.ts";
import { UNKNOWN } from "./catalog.ts";
import { type Fact, factsOf } from "./facts.ts";
import type { Failure, NoSolution } from "./no-solution.ts";
import type { PackageNode } from "./package-node.ts";
import type { Page } from "./page.ts";
import { problemTexts } from "./problem-text.ts";
import { availableText, holdsAny, versionsText } from "./version-text.ts";

/** Facts that are told; what takes more to say, nobody reads. */
const FACTS_MAX = 12;
/** So many fit into one sentence. */
const SENTENCE_MAX = 3;

/** Why there is no solution, for people. */
export interface Explanation {
  /** A sentence without a full stop. */
  readonly message: string;
  /** Lines that belong to it, where it takes more than a sentence. */
  readonly facts?: readonly string[];
  readonly hint?: string;
}

/** Tells why there is no solution. */
export function explain({ failure }: NoSolution): Explanation {
  const reporter = new Reporter(failure);
  const told = reporter.tell();
  const hint = failure.advice ?? reporter.hint;
  return hint === undefined ? told : { ...told, hint };
}

class Reporter {
  /** The first piece of advice that a fact itself suggests. */
  hint: string | undefined;
  readonly #failure: Failure;
  readonly #facts: readonly Fact[];

  constructor(failure: Failure) {
    this.#failure = failure;
    this.#facts = factsOf(failure.incompatibility);
  }

  tell(): Explanation {
    const texts = this.#facts.map((fact) => this.#textOf(fact)).filter((text) => text !== "");
    const { condition } = this.#failure.scope;
    const where = condition === undefined ? "" : `where ${condition}, `;
    if (texts.length <= SENTENCE_MAX) return { message: `${where}${sentence(texts)}` };
    const shown = texts.slice(0, FACTS_MAX);
    const more = texts.length - shown.length;
    if (more > 0) shown.push(`and ${more} more of the kind`);
    return { message: `${where}these cannot all hold`, facts: shown };
  }

  #textOf(fact: Fact): string {
    switch (fact.kind) {
      case "asked":
        return this.#asked(fact);
      case "requires":
        return this.#requires(fact);
      case "constraint": {
        const { package: node, range, origin } = fact;
        return `${origin} allows only ${node.name}${rangeText(range)}`;
      }
      case "place":
        return this.#place(fact);
      case "nothing":
        return this.#nothing(fact);
    }
  }

  #asked({ package: node, extras, range, origin }: Extract<Fact, { kind: "asked" }>): string {
    const chosen = extras.length === 0 ? "" : `[${[...extras].sort().join(",")}]`;
    const what = `${node.name}${chosen}${rangeText(range)}`;
    return `you require ${what}${origin === undefined ? "" : ` (${origin})`}`;
  }

  #requires(fact: Extract<Fact, { kind: "requires" }>): string {
    const { requirer, extra, package: dependency, cases } = fact;
    const [first] = cases;
    const name = `${requirer.name}${extra === undefined ? "" : `[${extra}]`}`;
    const page = this.#page(requirer);
    const what = (range: VersionRange) => {
      const { name: wanted, extra: ofExtra } = dependency;
      return `${wanted}${ofExtra === undefined ? "" : `[${ofExtra}]`}${rangeText(range)}`;
    };
    if (first === undefined) return "";
    if (cases.length === 1) {
      return `${versionsText(name, first.versions, page)} requires ${what(first.range)}`;
    }
    const all = cases.reduce((sum, { versions }) => sum.union(versions), VersionRange.empty);
    const newest = cases.reduce((best, item) => (isNewer(item, best, page) ? item : best), first);
    const example = `${versionsText(name, newest.versions, page)} requires ${what(newest.range)}`;
    const whole = versionsText(name, all, page);
    const [, second] = cases;
    if (cases.length === 2 && second !== undefined) {
      if (first.versions.equals(second.versions)) {
        return `${whole} requires ${what(first.range)} and ${what(second.range)}`;
      }
      const other = newest === first ? second : first;
      return `${example} and ${versionsText(name, other.versions, page)} ${what(other.range)}`;
    }
    return `${whole} requires a ${dependency.name} that does not fit: ${example}, and so on`;
  }

  #place(fact: Extract<Fact, { kind: "place" }>): string {
    const { requirer, versions, name, place, other, origin } = fact;
    const who = requirer.isRoot
      ? `you require`
      : `${versionsText(requirer.name ?? "", versions, this.#page(requirer))} requires`;
    const from = origin === undefined ? "" : ` (${origin})`;
    if (other !== undefined) return `${who} ${name} from ${place}${from} and from ${other}`;
    this.hint ??= `require ${name} from that place yourself if you trust it`;
    return `${who} ${name} from ${place}${from}, which only you can ask for`;
  }

  #nothing({ package: node, range }: Extract<Fact, { kind: "nothing" }>): string {
    const { catalog, scope, manifest } = this.#failure;
    const name = node.name ?? "";
    const page = node.name === undefined ? undefined : catalog.pageAtHand(node.name);
    if (page === UNKNOWN) {
      this.hint ??= `check the spelling of "${name}", and which indexes are asked`;
      return `no index has a package named "${name}"`;
    }
    if (page === undefined) return `nothing in ${name}${rangeText(range)} can be taken`;
    const wanted = this.#wantedRange(node);
    if (!holdsAny(wanted, page)) {
      return page.versions.length === 0
        ? `${name} has no version at all`
        : `${name} has only ${availableText(page)}`;
    }
    const { texts, hint } = problemTexts(page, range.intersect(wanted), { scope, manifest });
    this.hint ??= hint;
    return texts.join(", ");
  }

  /** What the facts together leave of a package, were it not for itself. */
  #wantedRange(node: PackageNode): VersionRange {
    let wanted = VersionRange.full;
    for (const fact of this.#facts) {
      if ((fact.kind === "asked" || fact.kind === "constraint") && fact.package === node) {
        wanted = wanted.intersect(fact.range);
      } else if (fact.kind === "requires" && fact.package === node && fact.cases.length === 1) {
        wanted = wanted.intersect(fact.cases[0]?.range ?? VersionRange.full);
      }
    }
    return wanted;
  }

  #page(node: PackageNode): Page | undefined {
    const page = node.name === undefined ? undefined : this.#failure.catalog.pageAtHand(node.name);
    return page === UNKNOWN ? undefined : page;
  }
}

function isNewer(
  item: { readonly versions: VersionRange },
  than: { readonly versions: VersionRange },
  page: Page | undefined,
): boolean {
  const place = (range: VersionRange) => page?.within(range).next().value ?? Number.MAX_VALUE;
  return place(item.versions) < place(than.versions);
}

function rangeText(range: VersionRange): string {
  if (range.isEmpty()) return " in a range that holds no version";
  return range.isFull() ? "" : range.toString();
}

/** `you require a==1, which requires b==2, but you require b<2`. */
function sentence(texts: readonly string[]): string {
  const parts: string[] = [];
  for (const [index, text] of texts.entries()) {
    const named = lastNamed(texts[index - 1]);
    const isMore = named !== undefined && text.startsWith(`${named} `);
    const said = isMore ? `which${text.slice(named.length)}` : text;
    const isLast = index > 0 && index === texts.length - 1;
    parts.push(isLast && !isMore ? `but ${said}` : said);
  }
  return parts.join(", ");
}

/** What a text ends with, its origin aside: that is what "which" would stand for. */
function lastNamed(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /(\S+)(?: \([^)]*\))?$/.exec(text)?.[1];
}
