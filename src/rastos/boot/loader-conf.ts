import type { BootFiles } from "./boot-files.ts";

/** loader.conf(5) of systemd-boot, from the boot partition's root. */
export const LOADER_CONFIG = "loader/loader.conf";
/** The newest entry with tries left is the default: nothing else decides. */
const DEFAULT = "rastos-*";

/**
 * Makes sure that systemd-boot takes the first of our entries by itself; other settings stay.
 *
 * @param timeout seconds for which the menu is shown; undefined leaves it as it is
 */
export function ensureLoaderConfig(files: BootFiles, timeout?: number): void {
  const bytes = files.read(LOADER_CONFIG);
  const old = bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
  const wanted = loaderConfig(old ?? "", { timeout });
  if (wanted !== old) files.write(LOADER_CONFIG, wanted);
}

/** The text with our default in it. Pure. */
export function loaderConfig(
  old: string,
  options: { readonly timeout: number | undefined },
): string {
  const lines = old.split(/\r?\n/).filter((line) => line.trim() !== "");
  const hasTimeout = lines.some((line) => /^\s*timeout\s/.test(line));
  const timeout = options.timeout ?? (hasTimeout ? undefined : 3);
  const isOwn = (line: string): boolean =>
    /^\s*default\s/.test(line) || (timeout !== undefined && /^\s*timeout\s/.test(line));
  return [
    `default ${DEFAULT}`,
    ...(timeout === undefined ? [] : [`timeout ${timeout}`]),
    ...lines.filter((line) => !isOwn(line)),
    "",
  ].join("\n");
}
