/** The Arch User Repository: its web interface and its git server have one address. */
const AUR_URL = "https://aur.archlinux.org";

/** The address of the AUR, without a slash at its end: TRIAD_AUR_URL where that is set. */
export function aurAddress(environment: Readonly<Record<string, string | undefined>>): string {
  const given = environment["TRIAD_AUR_URL"] ?? "";
  return (given === "" ? AUR_URL : given).replace(/\/+$/, "");
}
