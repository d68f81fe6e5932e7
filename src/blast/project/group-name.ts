/** The normal form of a group's name: as that of a package (PEP 735). */
export function normalizeGroup(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}
