import type { Cut } from "./cut.ts";
import { successor } from "./cut.ts";
import type { Version } from "./version.ts";

/**
 * The text of a range, given its cuts: lower and upper ends by turns. Specifiers as a person would
 * write them, which are not always exact about pre-, post- and local versions: what is not below
 * 2.0 reads `>=2.0`, whether or not it begins with the pre-releases of 2.0.
 */
export function rangeText(cuts: readonly Cut[]): string {
  const last = cuts.length - 1;
  if (last < 0) return "none";
  const groups: string[] = [];
  let start = 0;
  let holes: string[] = [];
  for (let index = 1; index <= last; index += 2) {
    const upper = cuts[index] as Cut;
    const next = cuts[index + 1];
    const hole = next === undefined ? undefined : singleText(upper, next, "!=");
    if (hole !== undefined) {
      holes.push(hole);
      continue;
    }
    groups.push(groupText(cuts[start] as Cut, holes, upper));
    start = index + 1;
    holes = [];
  }
  return groups.join(" | ");
}

function groupText(lower: Cut, holes: readonly string[], upper: Cut): string {
  if (holes.length === 0) {
    const text = singleText(lower, upper, "==") ?? familyText(lower, upper);
    if (text !== undefined) return text;
  }
  const texts = [lowerText(lower), ...holes, upperText(upper)].filter((text) => text !== "");
  return texts.length === 0 ? "*" : texts.join(",");
}

/** What lies between two cuts, if one version or one `.*` says it. */
function singleText(lower: Cut, upper: Cut, operator: "==" | "!="): string | undefined {
  const { version } = lower;
  if (version === undefined || upper.version === undefined) return undefined;
  if (lower.kind === "below-family") {
    const isPrefix = upper.kind === "below-family" && isNextPrefix(version, upper.version);
    return isPrefix ? `${operator}${version.base}.*` : undefined;
  }
  if (version.key !== upper.version.key) return undefined;
  if (lower.kind === "below" && (upper.kind === "above" || upper.kind === "above-locals")) {
    return `${operator}${version}`;
  }
  if (lower.kind !== "below-spelling" || upper.kind !== "above-spelling") return undefined;
  return `${operator === "==" ? "===" : "!="}${version}`;
}

/** Words for what no specifiers can tell: parts of what belongs to one version. */
function familyText(lower: Cut, upper: Cut): string | undefined {
  const { version } = lower;
  if (version === undefined || version.key !== upper.version?.key) return undefined;
  if (lower.kind === "below-family") return `>=${version}.dev0,${upperText(upper)}`;
  if (upper.kind === "above-locals") return `local versions of ${version}`;
  if (lower.kind !== "below") return `post-releases of ${version}`;
  return `${version} and its post-releases`;
}

function lowerText({ kind, version }: Cut): string {
  if (version === undefined) return "";
  return kind.startsWith("below") ? `>=${version}` : `>${version}`;
}

function upperText({ kind, version }: Cut): string {
  if (version === undefined) return "";
  return kind.startsWith("below") ? `<${version}` : `<=${version}`;
}

/** Whether one is the other with the last number of its release counted up, and nothing more. */
function isNextPrefix(version: Version, next: Version): boolean {
  const { epoch, release, post } = version;
  if (next.epoch !== epoch || post !== undefined || next.post !== undefined) return false;
  const last = release.length - 1;
  if (next.release.length !== release.length) return false;
  return next.release.every((number, index) => {
    const own = release[index] ?? 0;
    return number === (index === last ? successor(own) : own);
  });
}
