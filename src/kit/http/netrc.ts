/** The file of `machine HOST login NAME password SECRET` that ftp began and all tools read. */

/** A name and its password, as HTTP Basic takes them. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

interface Entry extends Login {
  /** Undefined for `default`. */
  readonly host: string | undefined;
}

/** A netrc file that has been read. */
export class Netrc {
  readonly #entries: readonly Entry[];

  /** Reads what it understands and leaves out the rest: a netrc is not Blast's to judge. */
  constructor(text: string) {
    this.#entries = parse(text);
  }

  /**
   * The login for a host, `default` last (it stands last in the file by its rules).
   *
   * @param username only this one
   */
  find(host: string, username?: string): Login | undefined {
    const fits = (entry: Entry): boolean => username === undefined || entry.username === username;
    const named = this.#entries.find((entry) => entry.host === host.toLowerCase() && fits(entry));
    return named ?? this.#entries.find((entry) => entry.host === undefined && fits(entry));
  }
}

function parse(text: string): Entry[] {
  const entries: Entry[] = [];
  const tokens = tokenise(text);
  let index = 0;
  while (index < tokens.length) {
    const token = tokens[index++];
    if (token !== "machine" && token !== "default") continue;
    const host = token === "machine" ? tokens[index++]?.toLowerCase() : undefined;
    if (token === "machine" && host === undefined) break;
    const fields = new Map<string, string>();
    for (;;) {
      const key = tokens[index];
      if (key !== "login" && key !== "user" && key !== "password" && key !== "account") break;
      fields.set(key, tokens[index + 1] ?? "");
      index += 2;
    }
    const username = fields.get("login") ?? fields.get("user") ?? "";
    entries.push({ host, username, password: fields.get("password") ?? "" });
  }
  return entries;
}

/** Words, also in double quotes; without comments and without the bodies of macros. */
function tokenise(text: string): string[] {
  const tokens: string[] = [];
  let inMacro = false;
  for (const line of text.split(/\r?\n/)) {
    // A macro ends at the first empty line.
    if (inMacro && line.trim() !== "") continue;
    inMacro = false;
    for (const match of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
      const [, quoted, bare] = match;
      const follows = tokens.at(-1);
      // A password may begin with "#"; a comment stands where a keyword would.
      if (bare?.startsWith("#") && follows !== "password" && follows !== "login") break;
      if (bare === "macdef") {
        inMacro = true;
        break;
      }
      tokens.push(quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1"));
    }
  }
  return tokens;
}
