import type { RootFolder } from "../../kit/fs/root-folder.ts";
import type { PackageRecord } from "../package/types.ts";

/**
 * Why a package is there, in pacman's local database: what `pacman -D --asexplicit` and `--asdeps`
 * write. No transaction can say it of what is installed already.
 */
export function markReason(
  root: RootFolder,
  packages: readonly Pick<PackageRecord, "name" | "version">[],
  reason: "explicit" | "dependency",
): void {
  for (const { name, version } of packages) {
    const path = `var/lib/pacman/local/${name}-${version}/desc`;
    const text = root.readText(path);
    if (text !== undefined) root.writeFile(path, withReason(text, reason));
  }
}

/** The text of `desc` with the reason; explicit is said by saying nothing. Pure. */
export function withReason(text: string, reason: "explicit" | "dependency"): string {
  const without = text.replace(/%REASON%\n[^\n]*\n\n?/, "");
  if (reason === "explicit") return without;
  const added = "%REASON%\n1\n\n";
  // Where libalpm writes it: behind the size.
  const place = without.search(/%(GROUPS|LICENSE|VALIDATION)%\n/);
  return place < 0 ? `${without}${added}` : without.slice(0, place) + added + without.slice(place);
}
