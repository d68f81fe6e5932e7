/** A repository's URL without its secrets, and the secrets in a form that git takes unseen. */
import { decodeUri } from "../../kit/text/decode-uri.ts";
import type { Git } from "./git-command.ts";

/** @see {@link gitAddress} */
export interface GitAddress {
  /** Without password or token; may be shown, and stand in command lines. */
  readonly url: string;
  /** Variables for commands that talk to the server. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

// Of the shell that git runs it with. git asks with "get", and tells with "store" and "erase".
const HELPER =
  '!f() { test "$1" = get && echo "username=$BLAST_GIT_USER" && ' +
  'echo "password=$BLAST_GIT_PASSWORD"; }; f';

/**
 * Takes user and password out of a URL. Command lines can be read by every user of the machine, and
 * what a clone was made from stays in its configuration: so they go through variables, to a
 * credential helper for that one server. With a user alone, the user's own helpers are asked first:
 * he may be a name to them, or a token that needs no password.
 */
export function gitAddress(text: string, git: Pick<Git, "configuration">): GitAddress {
  const parsed = URL.parse(text);
  const isWeb = parsed !== null && /^https?:$/.test(parsed.protocol);
  if (!isWeb || (parsed.username === "" && parsed.password === "")) {
    return { url: withoutPassword(text), variables: {} };
  }
  const user = decodeUri(parsed.username);
  const password = decodeUri(parsed.password);
  parsed.username = "";
  parsed.password = "";
  const key = `credential.${parsed.origin}`;
  const isWhole = password !== "";
  const entries: (readonly [string, string])[] = [
    // An empty one takes away those that were named before.
    ...(isWhole ? ([[`${key}.helper`, ""]] as const) : []),
    [`${key}.helper`, HELPER],
    [`${key}.username`, user],
  ];
  return {
    url: parsed.href,
    variables: {
      ...git.configuration(entries),
      BLAST_GIT_USER: user,
      BLAST_GIT_PASSWORD: password,
    },
  };
}

/** `ssh://git@host/…` needs its user; a password in it has no effect. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#:@]*):[^/?#@]*@/i, "$1@");
}
