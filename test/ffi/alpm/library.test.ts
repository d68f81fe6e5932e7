import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import {
  ALPM_DB_USAGE_ALL,
  ALPM_ERROR,
  ALPM_FILECONFLICT_TARGET,
  ALPM_FLAG,
  ALPM_LOG,
  ALPM_REASON_DEPEND,
  ALPM_SIG,
} from "../../../ffi/alpm/constants.ts";
import { alpmLayoutOf, openAlpm } from "../../../ffi/alpm/library.ts";
import { cBytes, cText, listItems } from "../../../ffi/alpm/memory.ts";
import { valuesInC } from "../../support/c-values.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const header = existsSync("/usr/include/alpm.h") ? undefined : "needs alpm.h (libalpm-dev)";
const library = openAlpm() === undefined ? "needs libalpm" : undefined;

testUnless(library)("the library is opened, and of a version whose layout is known", () => {
  const opened = openAlpm();
  expect(opened?.version).toMatch(/^1[345]\.\d+\.\d+$/);
  expect(opened?.layout).toEqual(alpmLayoutOf(opened?.major ?? 0) as never);
  expect(cText(opened?.calls.alpm_strerror(ALPM_ERROR.HANDLE_LOCK) ?? null)).toBe(
    "unable to lock database",
  );
});

test("the layouts of all versions that are known", () => {
  expect(alpmLayoutOf(12)).toBeUndefined();
  expect(alpmLayoutOf(16)).toBeUndefined();
  expect(alpmLayoutOf(13)?.conflict.package1).toBe(16);
  expect(alpmLayoutOf(14)).toEqual(alpmLayoutOf(15) as never);
  expect(alpmLayoutOf(15)?.conflict.holdsPackages).toBe(true);
});

testUnless(firstReason(header, library, needsProgram("cc")))(
  "the numbers are those of alpm.h",
  () => {
    const prefixed = (prefix: string, table: Readonly<Record<string, number>>) =>
      Object.entries(table).map(([name, value]) => [`${prefix}${name}`, value] as const);
    const numbers = Object.fromEntries([
      ...prefixed("ALPM_ERR_", ALPM_ERROR),
      ...prefixed("ALPM_SIG_", ALPM_SIG),
      ...prefixed("ALPM_TRANS_FLAG_", ALPM_FLAG),
      ...prefixed("ALPM_LOG_", ALPM_LOG),
      ["ALPM_DB_USAGE_ALL", ALPM_DB_USAGE_ALL] as const,
      ["ALPM_PKG_REASON_DEPEND", ALPM_REASON_DEPEND] as const,
      ["ALPM_FILECONFLICT_TARGET", ALPM_FILECONFLICT_TARGET] as const,
    ]);
    const expressions = Object.fromEntries(Object.keys(numbers).map((name) => [name, name]));
    expect(alpmValues(expressions)).toEqual(numbers);
  },
);

/** Offsets that callback.ts and transaction.ts read at, by structure and field. */
const OFFSETS = {
  "alpm_event_package_operation_t.oldpkg": 8,
  "alpm_event_package_operation_t.newpkg": 16,
  "alpm_event_scriptlet_info_t.line": 8,
  "alpm_event_optdep_removal_t.pkg": 8,
  "alpm_event_optdep_removal_t.optdep": 16,
  "alpm_event_database_missing_t.dbname": 8,
  "alpm_event_pacnew_created_t.file": 24,
  "alpm_event_pacsave_created_t.file": 16,
  "alpm_event_hook_run_t.name": 8,
  "alpm_event_hook_run_t.desc": 16,
  "alpm_question_any_t.answer": 4,
  "alpm_question_install_ignorepkg_t.pkg": 8,
  "alpm_question_replace_t.oldpkg": 8,
  "alpm_question_replace_t.newpkg": 16,
  "alpm_question_conflict_t.conflict": 8,
  "alpm_question_corrupted_t.filepath": 8,
  "alpm_question_corrupted_t.reason": 16,
  "alpm_question_remove_pkgs_t.packages": 8,
  "alpm_question_select_provider_t.providers": 8,
  "alpm_question_select_provider_t.depend": 16,
  "alpm_download_event_progress_t.downloaded": 0,
  "alpm_download_event_progress_t.total": 8,
  "alpm_download_event_completed_t.total": 0,
  "alpm_depmissing_t.target": 0,
  "alpm_depmissing_t.depend": 8,
  "alpm_depmissing_t.causingpkg": 16,
  "alpm_fileconflict_t.target": 0,
  "alpm_fileconflict_t.type": 8,
  "alpm_fileconflict_t.file": 16,
  "alpm_fileconflict_t.ctarget": 24,
  "alpm_pgpkey_t.fingerprint": 8,
  "alpm_group_t.packages": 8,
  "alpm_list_t.data": 0,
  "alpm_list_t.next": 16,
} as const;

testUnless(firstReason(header, library, needsProgram("cc")))("so are the offsets", () => {
  const { conflict } = openAlpm()?.layout ?? {};
  const offsets = {
    ...OFFSETS,
    "alpm_conflict_t.package1": conflict?.package1 ?? -1,
    "alpm_conflict_t.package2": conflict?.package2 ?? -1,
    "alpm_conflict_t.reason": conflict?.reason ?? -1,
  };
  const expressions = Object.fromEntries(
    Object.keys(offsets).map((name) => [name, `offsetof(${name.replace(".", ", ")})`]),
  );
  expect(alpmValues(expressions)).toEqual(offsets);
});

/** alpm.h wants libarchive's headers for two structures that it only points to. */
function alpmValues(expressions: Readonly<Record<string, string>>): Record<string, number> {
  using work = createWorkspace();
  work.write("archive.h", "struct archive;\n");
  work.write("archive_entry.h", "struct archive_entry;\n");
  return valuesInC(["alpm.h"], expressions, [work.path]);
}

test("texts for C hold no NUL, and nothing is the empty list", () => {
  expect(() => cBytes("a\0b")).toThrow("holds a NUL");
  expect(Buffer.from(cBytes("é")).toString()).toBe("é\0");
  expect(listItems(null)).toEqual([]);
  expect(cText(null)).toBe("");
});
