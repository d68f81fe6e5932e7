import { readdirSync, readlinkSync } from "node:fs";

/**
 * How many descriptors of this process lead to a path or below it; what has been deleted counts.
 * All there are would be no measure: other tests share the process, and what they began goes on.
 */
export function openBelow(path: string): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // Closed in the meantime, as that of the listing itself.
      return "";
    }
  });
  return links.filter((link) => link.startsWith(path)).length;
}
