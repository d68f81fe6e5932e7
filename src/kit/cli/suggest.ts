import { distance } from "fastest-levenshtein";

/** A word that can be suggested, and further spellings that lead to it. */
export interface Candidate {
  readonly word: string;
  readonly synonyms?: readonly string[];
}

/**
 * The candidate nearest to what was typed, or nothing if none is near: a synonym first, then the
 * smallest edit distance, of which at most a third of the letters (and always one) may differ. A
 * swap of two neighbours counts once, as it is one slip of the fingers.
 */
export function suggest(typed: string, candidates: readonly Candidate[]): string | undefined {
  const wanted = typed.toLowerCase();
  const bySynonym = candidates.find((candidate) => candidate.synonyms?.includes(wanted) === true);
  if (bySynonym !== undefined) {
    return bySynonym.word;
  }
  let best: { word: string; edits: number } | undefined;
  for (const { word } of candidates) {
    const edits = editDistance(wanted, word.toLowerCase());
    const editsMax = Math.max(1, Math.floor(Math.max(wanted.length, word.length) / 3));
    if (edits <= editsMax && (best === undefined || edits < best.edits)) {
      best = { word, edits };
    }
  }
  return best?.word ?? byPrefix(wanted, candidates);
}

/** Whoever types `diag` means `diagnostics`, if nothing else begins so. */
function byPrefix(wanted: string, candidates: readonly Candidate[]): string | undefined {
  const matches = wanted.length < 2 ? [] : candidates.filter(({ word }) => word.startsWith(wanted));
  return matches.length === 1 ? matches[0]?.word : undefined;
}

function editDistance(a: string, b: string): number {
  const plain = distance(a, b);
  if (a.length !== b.length || plain !== 2) {
    return plain;
  }
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  return a[at] === b[at + 1] && a[at + 1] === b[at] ? 1 : plain;
}
