import { locateToml } from "../../kit/config/locate.ts";
import type { SystemFile } from "./types.ts";

/** In the place of a hash: understood by nobody, so that no text with it is ever applied. */
const HIDDEN = '"(kept in /etc/rastos/system.toml)"';

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
  return spans.reduce(
    (text, { start, end }) => text.slice(0, start) + HIDDEN + text.slice(end),
    file.text,
  );
}
