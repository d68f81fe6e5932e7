import { ALPM_SIG } from "../../../ffi/alpm/constants.ts";
import { Fault } from "../../kit/fault/fault.ts";

/** What pacman itself takes where nothing is said: packages need a signature, databases do not. */
export const DEFAULT_SIGNATURE_LEVEL = "Required DatabaseOptional";

const PACKAGE = ALPM_SIG.PACKAGE | ALPM_SIG.PACKAGE_OPTIONAL;
const DATABASE = ALPM_SIG.DATABASE | ALPM_SIG.DATABASE_OPTIONAL;
const TRUST_ALL_PACKAGE = ALPM_SIG.PACKAGE_MARGINAL_OK | ALPM_SIG.PACKAGE_UNKNOWN_OK;
const TRUST_ALL_DATABASE = ALPM_SIG.DATABASE_MARGINAL_OK | ALPM_SIG.DATABASE_UNKNOWN_OK;

/** What each word clears and sets, by what it may begin with. */
const WORDS: Readonly<Record<string, { clear: readonly [number, number]; set: [number, number] }>> =
  {
    Never: { clear: [PACKAGE, DATABASE], set: [0, 0] },
    Optional: {
      clear: [0, 0],
      set: [PACKAGE, DATABASE],
    },
    Required: {
      clear: [ALPM_SIG.PACKAGE_OPTIONAL, ALPM_SIG.DATABASE_OPTIONAL],
      set: [ALPM_SIG.PACKAGE, ALPM_SIG.DATABASE],
    },
    TrustedOnly: { clear: [TRUST_ALL_PACKAGE, TRUST_ALL_DATABASE], set: [0, 0] },
    TrustAll: { clear: [0, 0], set: [TRUST_ALL_PACKAGE, TRUST_ALL_DATABASE] },
  };

/**
 * The bits of alpm_siglevel_t for the words of pacman.conf(5): `Required DatabaseOptional`,
 * `PackageRequired TrustAll`. Later words override earlier ones.
 *
 * @param base the level that the words change; that of the default if not given
 * @throws {Fault} E_CONFIG for an unknown word
 */
export function signatureLevelOf(words: string, base?: number): number {
  let level = base ?? 0;
  for (const word of words.split(/\s+/).filter((part) => part !== "")) {
    const prefix = /^(Package|Database)/.exec(word)?.[1] ?? "";
    const change = WORDS[word.slice(prefix.length)];
    if (change === undefined) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot understand the SigLevel "${words}": "${word}" is no word of it`,
        hint: "use Never, Optional or Required, TrustedOnly or TrustAll (pacman.conf(5))",
      });
    }
    if (prefix !== "Database") level = (level & ~change.clear[0]) | change.set[0];
    if (prefix !== "Package") level = (level & ~change.clear[1]) | change.set[1];
  }
  return level;
}
