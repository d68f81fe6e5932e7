import { visitListing } from "../engine/listing.ts";
import type { Base } from "../session/types.ts";
import { IssueList } from "./issues.ts";
import { look } from "./look.ts";
import { openPlace } from "./open-place.ts";
import type { AdminEntry, EntryChunk } from "./types.ts";

/**
 * What is in a folder, in the order in which the file system has it; of everything else the entry
 * itself, with the path "".
 *
 * @param isEntryItself of a folder too
 * @throws {Fault} where the place cannot be opened
 */
export function* listPlace(
  base: Base,
  path: string,
  isEntryItself: boolean,
): Generator<EntryChunk | undefined> {
  using place = openPlace(base, path, "list");
  if (isEntryItself || place.entry.kind !== "folder") {
    yield { entries: [place.entry], issues: [] };
    return;
  }
  const issues = new IssueList();
  for (;;) {
    // Nothing is kept in the shared memory over a yield.
    const got = look().readFolder(place.fd);
    if (got < 0) issues.failed(got, "getdents64", "", "list");
    const entries = got > 0 ? entriesOf(place.fd, got, issues) : [];
    if (entries.length > 0 || issues.hasPending) yield { entries, issues: issues.take() };
    if (got <= 0) return;
    yield undefined;
  }
}

function entriesOf(fd: number, got: number, issues: IssueList): AdminEntry[] {
  const memory = look();
  const entries: AdminEntry[] = [];
  visitListing(memory, got, (offset, length) => {
    const name = memory.dirents.text.latin1Slice(offset, offset + length);
    const entry = entryAt(fd, name, name, issues);
    if (entry !== undefined) entries.push(entry);
  });
  return entries;
}

/** Looks at an entry of an open folder; reports what cannot be looked at. */
export function entryAt(
  fd: number,
  name: string,
  path: string,
  issues: IssueList,
): AdminEntry | undefined {
  const memory = look();
  const result = memory.statName(fd, name);
  if (result < 0) {
    issues.failed(result, "statx", path, "read");
    return undefined;
  }
  const entry = memory.entry(path, undefined);
  if (entry.kind !== "symlink") return entry;
  return { ...entry, linkTarget: memory.readLink(fd, name) };
}
