/** Name of the package with a kernel that was built here: `linux-rastos-production`. */
export function kernelPackageName(profile: string | undefined): string {
  return `linux-rastos-${profile ?? "own"}`;
}
