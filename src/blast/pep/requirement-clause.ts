/** What Python takes for white space. */
const SPACE = String.raw`[\s\x1c-\x1f\x85]`;
const RELEASE = "v?(?:[0-9]+!)?[0-9]+";
const PRE = "(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?";
const POST = "(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?";
const DEV = "(?:[-_.]?dev[-_.]?[0-9]*)?";
const LOCAL = String.raw`(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?`;

/**
 * One clause of a version specifier (PEP 440): as much of the text as can belong to it. Sticky;
 * set `lastIndex` before use.
 */
export const CLAUSE = new RegExp(
  [
    String.raw`===${SPACE}*[^\s\x1c-\x1f\x85;)]*`,
    String.raw`(?:==|!=)${SPACE}*${RELEASE}(?:\.[0-9]+)*(?:\.\*|${PRE}${POST}${DEV}${LOCAL})`,
    String.raw`~=${SPACE}*${RELEASE}(?:\.[0-9]+)+${PRE}${POST}${DEV}`,
    String.raw`(?:<=|>=|<|>)${SPACE}*${RELEASE}(?:\.[0-9]+)*${PRE}${POST}${DEV}`,
  ].join("|"),
  "iy",
);
