import { dlopen, FFIType } from "bun:ffi";
import { openLibc } from "../library.ts";
import { findSharedLibrary } from "../shared-library.ts";
import { cText } from "./memory.ts";

/**
 * libalpm(3), the library of pacman, as C has it. Known are its major versions 13 (pacman 6.0), 14
 * (6.1) and 15 (7.0): of what is used here their headers differ only in what {@link AlpmLayout}
 * says. Pointers are numbers; NULL is 0 or null.
 */

const i32 = "i32";
const ptr = "ptr";
const i64 = FFIType.i64_fast;

const handle = { args: [ptr], returns: i32 } as const;
const setText = { args: [ptr, ptr], returns: i32 } as const;
const setNumber = { args: [ptr, i32], returns: i32 } as const;
const setCallback = { args: [ptr, ptr, ptr], returns: i32 } as const;
const getPointer = { args: [ptr], returns: ptr } as const;
const getNumber = { args: [ptr], returns: i32 } as const;
const getSize = { args: [ptr], returns: i64 } as const;

const symbols = {
  alpm_version: { args: [], returns: ptr },
  alpm_initialize: { args: [ptr, ptr, ptr], returns: ptr },
  alpm_release: handle,
  alpm_unlock: handle,
  alpm_errno: handle,
  alpm_strerror: { args: [i32], returns: ptr },
  alpm_option_set_logcb: setCallback,
  alpm_option_set_dlcb: setCallback,
  alpm_option_set_eventcb: setCallback,
  alpm_option_set_questioncb: setCallback,
  alpm_option_set_progresscb: setCallback,
  alpm_option_add_cachedir: setText,
  alpm_option_add_hookdir: setText,
  alpm_option_set_logfile: setText,
  alpm_option_set_gpgdir: setText,
  alpm_option_add_architecture: setText,
  alpm_option_add_ignorepkg: setText,
  alpm_option_add_ignoregroup: setText,
  alpm_option_add_noupgrade: setText,
  alpm_option_add_noextract: setText,
  alpm_option_set_checkspace: setNumber,
  alpm_option_set_default_siglevel: setNumber,
  alpm_option_set_local_file_siglevel: setNumber,
  alpm_option_set_remote_file_siglevel: setNumber,
  alpm_option_set_parallel_downloads: setNumber,
  alpm_get_localdb: getPointer,
  alpm_get_syncdbs: getPointer,
  alpm_register_syncdb: { args: [ptr, ptr, i32], returns: ptr },
  alpm_db_get_name: getPointer,
  alpm_db_get_valid: getNumber,
  alpm_db_add_server: setText,
  alpm_db_set_usage: setNumber,
  alpm_db_update: { args: [ptr, ptr, i32], returns: i32 },
  alpm_db_get_pkg: { args: [ptr, ptr], returns: ptr },
  alpm_db_get_pkgcache: getPointer,
  alpm_db_get_group: { args: [ptr, ptr], returns: ptr },
  alpm_db_search: { args: [ptr, ptr, ptr], returns: i32 },
  alpm_find_group_pkgs: { args: [ptr, ptr], returns: ptr },
  alpm_find_dbs_satisfier: { args: [ptr, ptr, ptr], returns: ptr },
  alpm_find_satisfier: { args: [ptr, ptr], returns: ptr },
  alpm_dep_compute_string: getPointer,
  alpm_depmissing_free: { args: [ptr], returns: "void" },
  alpm_conflict_free: { args: [ptr], returns: "void" },
  alpm_fileconflict_free: { args: [ptr], returns: "void" },
  alpm_pkg_load: { args: [ptr, ptr, i32, i32, ptr], returns: i32 },
  alpm_pkg_free: handle,
  alpm_pkg_vercmp: { args: [ptr, ptr], returns: i32 },
  alpm_pkg_find: { args: [ptr, ptr], returns: ptr },
  alpm_pkg_compute_requiredby: getPointer,
  alpm_pkg_get_name: getPointer,
  alpm_pkg_get_version: getPointer,
  alpm_pkg_get_desc: getPointer,
  alpm_pkg_get_isize: getSize,
  alpm_pkg_download_size: getSize,
  alpm_pkg_get_reason: getNumber,
  alpm_pkg_set_reason: setNumber,
  alpm_pkg_get_groups: getPointer,
  alpm_pkg_get_depends: getPointer,
  alpm_pkg_get_optdepends: getPointer,
  alpm_pkg_get_provides: getPointer,
  alpm_pkg_get_files: getPointer,
  alpm_pkg_get_db: getPointer,
  alpm_pkg_get_base64_sig: getPointer,
  alpm_trans_init: setNumber,
  alpm_trans_prepare: setText,
  alpm_trans_commit: setText,
  alpm_trans_interrupt: handle,
  alpm_trans_release: handle,
  alpm_trans_get_add: getPointer,
  alpm_trans_get_remove: getPointer,
  alpm_sync_sysupgrade: setNumber,
  alpm_add_pkg: setText,
  alpm_remove_pkg: setText,
  alpm_list_add: { args: [ptr, ptr], returns: ptr },
  alpm_list_free: { args: [ptr], returns: "void" },
} as const;

/** What only later versions have. */
const sandboxSymbols = { alpm_option_set_sandboxuser: setText } as const;

/** Where the fields of structures lie that differ between versions, in bytes. */
export interface AlpmLayout {
  /**
   * alpm_conflict_t: two names until 13, behind two hashes; two packages from 14 on.
   */
  readonly conflict: {
    readonly holdsPackages: boolean;
    readonly package1: number;
    readonly package2: number;
    readonly reason: number;
  };
  /** alpm_question_import_key_t: a key until 13; user id and fingerprint from 14 on. */
  readonly importKeyHoldsTexts: boolean;
}

/** The library, opened. */
export interface AlpmLibrary {
  readonly path: string;
  /** `13.0.2`. */
  readonly version: string;
  readonly major: number;
  readonly calls: AlpmCalls;
  readonly layout: AlpmLayout;
  /** Downloads as this user, from 15 on; undefined before. */
  readonly setSandboxUser: ((handle: number, user: Uint8Array) => number) | undefined;
}

export type AlpmCalls = ReturnType<typeof dlopen<typeof symbols>>["symbols"];

/** The layout of a major version; of an unknown one undefined. */
export function alpmLayoutOf(major: number): AlpmLayout | undefined {
  if (major === 13) {
    return {
      conflict: { holdsPackages: false, package1: 16, package2: 24, reason: 32 },
      importKeyHoldsTexts: false,
    };
  }
  if (major !== 14 && major !== 15) return undefined;
  return {
    conflict: { holdsPackages: true, package1: 0, package2: 8, reason: 16 },
    importKeyHoldsTexts: true,
  };
}

const SONAMES = ["libalpm.so.15", "libalpm.so.14", "libalpm.so.13"];

let opened: { readonly library: AlpmLibrary | undefined } | undefined;

/** Opens libalpm, once; undefined where there is none, or none of a version that is known. */
export function openAlpm(): AlpmLibrary | undefined {
  opened ??= { library: load() };
  return opened.library;
}

function load(): AlpmLibrary | undefined {
  const path = findSharedLibrary(SONAMES);
  if (path === undefined) return undefined;
  try {
    const { symbols: calls } = dlopen(path, symbols);
    const version = cText(calls.alpm_version());
    const major = Number(version.split(".")[0]);
    const layout = alpmLayoutOf(major);
    if (layout === undefined) return undefined;
    speakUtf8();
    const sandbox = major >= 15 ? dlopen(path, sandboxSymbols).symbols : undefined;
    const setSandboxUser =
      sandbox === undefined
        ? undefined
        : (at: number, user: Uint8Array) => sandbox.alpm_option_set_sandboxuser(at as never, user);
    return { path, version, major, calls, layout, setSandboxUser };
  } catch {
    // Another library of that name, or one without a function that should be there.
    return undefined;
  }
}

const LC_CTYPE = 0;

/**
 * libarchive refuses names in UTF-8 in the locale "C", in which every program starts. Messages stay
 * English: LC_MESSAGES is left alone.
 */
function speakUtf8(): void {
  const { setlocale } = openLibc({ setlocale: { args: [i32, ptr], returns: ptr } });
  for (const name of ["C.UTF-8", "en_US.UTF-8"]) {
    if (setlocale(LC_CTYPE, Buffer.from(`${name}\0`)) !== null) return;
  }
}
