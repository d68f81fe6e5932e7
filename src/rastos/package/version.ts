/** Versions of pacman: `[epoch:]version[-release]`, compared as vercmp(8) does. Pure. */

interface VersionParts {
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

/** Below 0 if `a` is older than `b`, 0 if they are the same, above 0 if it is newer. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [partsOf(a), partsOf(b)];
  const byEpoch = compareSegments(left.epoch, right.epoch);
  if (byEpoch !== 0) return byEpoch;
  const byVersion = compareSegments(left.version, right.version);
  if (byVersion !== 0) return byVersion;
  // `1.0` stands for every release of it.
  if (left.release === undefined || right.release === undefined) return 0;
  return compareSegments(left.release, right.release);
}

function partsOf(text: string): VersionParts {
  const colon = /^\d*:/.exec(text)?.[0];
  const rest = colon === undefined ? text : text.slice(colon.length);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon === undefined || colon === ":" ? "0" : colon.slice(0, -1),
    version: dash === -1 ? rest : rest.slice(0, dash),
    release: dash === -1 ? undefined : rest.slice(dash + 1),
  };
}

/** RPM's comparison: runs of digits and of letters, and what separates them. */
function compareSegments(a: string, b: string): number {
  if (a === b) return 0;
  let [left, right] = [a, b];
  while (left !== "" && right !== "") {
    const [gapLeft, gapRight] = [gapOf(left), gapOf(right)];
    left = left.slice(gapLeft);
    right = right.slice(gapRight);
    if (left === "" || right === "") break;
    if (gapLeft !== gapRight) return gapLeft < gapRight ? -1 : 1;
    const isNumber = /^\d/.test(left);
    const pattern = isNumber ? /^\d+/ : /^[A-Za-z]+/;
    const one = pattern.exec(left)?.[0] ?? "";
    const other = pattern.exec(right)?.[0] ?? "";
    // Numbers are newer than letters.
    if (other === "") return isNumber ? 1 : -1;
    const order = isNumber ? compareNumbers(one, other) : compareTexts(one, other);
    if (order !== 0) return order;
    left = left.slice(one.length);
    right = right.slice(other.length);
  }
  if (left === "" && right === "") return 0;
  // What goes on with letters is older (1.0rc), anything else newer (1.0.1).
  if (left === "") return /^[A-Za-z]/.test(right) ? 1 : -1;
  return /^[A-Za-z]/.test(left) ? -1 : 1;
}

function gapOf(text: string): number {
  return /^[^A-Za-z0-9]*/.exec(text)?.[0].length ?? 0;
}

function compareNumbers(a: string, b: string): number {
  const [one, other] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (one.length !== other.length) return one.length < other.length ? -1 : 1;
  return compareTexts(one, other);
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
