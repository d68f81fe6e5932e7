import type { Repository } from "../package/types.ts";
import type { SystemConfig } from "./types.ts";

/**
 * Small files of /etc as texts: what they say, and the text that says what is wanted. What a file
 * holds besides stays byte for byte. Pure.
 */

/** The value of a variable in a file such as locale.conf(5). */
export function variableOf(text: string | undefined, name: string): string | undefined {
  const found = new RegExp(`^\\s*${name}=(.*)$`, "m").exec(text ?? "")?.[1];
  return found?.trim().replace(/^(["'])(.*)\1$/, "$2");
}

/** The text with the variable set. */
export function withVariable(text: string | undefined, name: string, value: string): string {
  if (variableOf(text, name) === value) return text ?? "";
  const line = `${name}=${value}`;
  const lines = linesOf(text);
  const index = lines.findIndex((one) => new RegExp(`^\\s*${name}=`).test(one));
  if (index >= 0) lines[index] = line;
  else lines.push(line);
  return textOf(lines);
}

/** The first word of etc/hostname (hostname(5)). */
export function hostnameOf(text: string | undefined): string | undefined {
  return linesOf(text)
    .map((line) => line.trim())
    .find((line) => line !== "" && !line.startsWith("#"));
}

/** The locales that a locale.gen(5) switches on, by name. */
export function localesOf(text: string | undefined): string[] {
  return linesOf(text).flatMap((line) => {
    const found = /^\s*([A-Za-z][^\s#]*)\s+\S+/.exec(line)?.[1];
    return found === undefined ? [] : [found];
  });
}

/** The text with these locales on, and those switched off that are wanted no more. */
export function withLocales(
  text: string | undefined,
  wanted: readonly string[],
  dropped: readonly string[],
): string {
  const on = new Set(localesOf(text));
  const missing = new Set(wanted.filter((name) => !on.has(name)));
  const lines = linesOf(text).map((line) => {
    const active = /^\s*([A-Za-z][^\s#]*)\s+\S+/.exec(line)?.[1];
    if (active !== undefined) return dropped.includes(active) ? `#${line}` : line;
    const dormant = /^\s*#\s*([A-Za-z][^\s#]*\s+[A-Z][A-Za-z0-9_-]*)\s*$/.exec(line)?.[1];
    const name = dormant?.split(/\s/)[0];
    if (dormant === undefined || name === undefined || !missing.delete(name)) return line;
    return dormant;
  });
  for (const name of missing) lines.push(`${name} ${charsetOf(name)}`);
  return textOf(lines);
}

/** What locale-gen(8) wants as the second word of a line. */
function charsetOf(locale: string): string {
  const charset = /\.([A-Za-z0-9-]+)/.exec(locale)?.[1] ?? "ISO-8859-1";
  return /^utf-?8$/i.test(charset) ? "UTF-8" : charset;
}

/** All locales that are declared; the C and POSIX ones need nothing. */
export function declaredLocales(config: SystemConfig): string[] {
  const { locale, locales } = config.system;
  const all = locale === undefined ? locales : [locale, ...locales];
  return [...new Set(all)].filter((name) => !/^(C|POSIX)\b/.test(name));
}

/** The repositories that a pacman.conf(5) names itself, for comparing. */
export function repositoriesOf(text: string | undefined): Repository[] {
  const found: { name: string; servers: string[]; signatureLevel: string | undefined }[] = [];
  let current: (typeof found)[number] | undefined;
  for (const line of linesOf(text)) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (section !== undefined) {
      current = { name: section, servers: [], signatureLevel: undefined };
      if (section !== "options") found.push(current);
    }
    const [, key, value = ""] = /^\s*(Server|SigLevel)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (current === undefined || key === undefined) continue;
    if (key === "Server") current.servers.push(value);
    else current.signatureLevel = value;
  }
  return found;
}

const OPTIONS = `[options]
HoldPkg = pacman glibc
Architecture = auto
CheckSpace
SigLevel = Required DatabaseOptional
LocalFileSigLevel = Optional
`;

/** The text with exactly these repositories; its options stay. */
export function withRepositories(
  text: string | undefined,
  repositories: SystemConfig["repositories"],
): string {
  const lines = text === undefined ? OPTIONS.split("\n") : linesOf(text);
  const kept: string[] = [];
  let isOption = true;
  for (const line of lines) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (section !== undefined) isOption = section === "options";
    if (isOption) kept.push(line);
  }
  while (kept.at(-1)?.trim() === "") kept.pop();
  for (const { name, servers, siglevel } of repositories) {
    kept.push("", `[${name}]`);
    if (siglevel !== undefined) kept.push(`SigLevel = ${siglevel}`);
    kept.push(...servers.map((server) => `Server = ${server}`));
  }
  return textOf(kept);
}

function linesOf(text: string | undefined): string[] {
  const lines = (text ?? "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
