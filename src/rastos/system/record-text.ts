import { locateToml } from "../../kit/config/locate.ts";
import type { SystemFile } from "./types.ts";

/** In the place of a hash: understood by nobody, so that no text with it is ever applied. */
const HIDDEN = "(kept in /etc/rastos/system.toml)";

/** What looks like a hash by crypt(5), as a comment may hold one that is no value any more. */
const HASH = /\$[0-9a-z]{1,8}\$[A-Za-z0-9./$=,+*-]{8,}/g;

/**
 * A system.toml as it stands in the record of a snapshot, which everybody on the machine can read
 * (an extended attribute of the root folder): without the hashes of passwords. Pure.
 */
export function recordText(file: Pick<SystemFile, "text" | "config">): string {
  const places = locateToml(file.text);
  const spans = file.config.users.flatMap((_, index) => {
    const span = places.find(["users", index, "password_hash"])?.value;
    return span === undefined ? [] : [span];
  });
  spans.sort((a, b) => b.start - a.start);
  const text = spans.reduce(
    (all, { start, end }) => `${all.slice(0, start)}"${HIDDEN}"${all.slice(end)}`,
    file.text,
  );
  return text.replace(HASH, HIDDEN);
}
