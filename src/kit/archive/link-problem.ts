/**
 * Why a symbolic link must not be made beneath the folder that an archive is unpacked into;
 * undefined where it may: then it leads nowhere outside, whatever links there are besides. ".."
 * behind a name is refused, as that name may be a link itself; leading ones are counted against the
 * folders above the link, which must be real ones.
 *
 * @param above the folders that the link lies in, from the topmost on
 */
export function linkProblem(above: readonly string[], target: string): string | undefined {
  if (target === "" || target.includes("\0")) return "a link that leads nowhere";
  if (target.startsWith("/")) return "a link that leads outside";
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const named = parts.findIndex((part) => part !== "..");
  const leading = named === -1 ? parts.length : named;
  if (parts.includes("..", leading)) return 'a link with ".." behind a name';
  return leading > above.length ? "a link that leads outside" : undefined;
}
