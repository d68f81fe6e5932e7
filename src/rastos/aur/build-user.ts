import { Fault } from "../../kit/fault/fault.ts";

/** Whoever runs what strangers have written. */
export interface BuildUser {
  readonly uid: number;
  readonly gid: number;
  /** Goes before a command, so that this user runs it, without a way back. */
  readonly prefix: readonly string[];
}

/**
 * In the gap that systemd leaves between its own ranges and those of dynamic users: no account has
 * it, no file is its own, so a program that breaks out of its sandbox owns nothing.
 */
const BUILD_UID = 60_900;

/** A path with the folders of the administration: setpriv and mount may lie there. */
export const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/**
 * Who builds: a user of nobody's where we are root, else the one who calls. makepkg refuses root,
 * and strangers' code has no business with its rights.
 *
 * @throws {Fault} E_NOT_FOUND
 */
export function buildUser(): BuildUser {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid, prefix: [] };
  const ids = [`--reuid=${BUILD_UID}`, `--regid=${BUILD_UID}`, "--clear-groups"];
  const rights = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"];
  return { uid: BUILD_UID, gid: BUILD_UID, prefix: [findProgram("setpriv"), ...ids, ...rights] };
}

/** Programs, and the package that brings each where that is not its name. */
const PACKAGES: Readonly<Record<string, string>> = {
  setpriv: "util-linux",
  unshare: "util-linux",
  mount: "util-linux",
  bwrap: "bubblewrap",
  makepkg: "pacman",
};

/** @throws {Fault} E_NOT_FOUND with the package to install */
export function findProgram(name: string): string {
  const path = Bun.which(name, { PATH: SEARCH_PATH });
  if (path !== null) return path;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot build packages of the AUR: ${name} is not installed`,
    hint: `install the package ${PACKAGES[name] ?? name}`,
  });
}
