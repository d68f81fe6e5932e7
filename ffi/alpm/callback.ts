import { FFIType, JSCallback, type Pointer } from "bun:ffi";
import { ALPM_LOG } from "./constants.ts";
import type { AlpmCalls, AlpmLibrary } from "./library.ts";
import {
  cText,
  formattedText,
  freeMemory,
  intAt,
  listItems,
  longAt,
  pointerAt,
  writeInt,
} from "./memory.ts";

/** What libalpm tells while it works (alpm_event_t, alpm_cb_progress and alpm_cb_download). */
export type AlpmEvent =
  | { readonly kind: "operation"; readonly name: string; readonly isDone: boolean }
  | { readonly kind: "scriptlet"; readonly line: string }
  | { readonly kind: "optional-removed"; readonly name: string; readonly optional: string }
  | { readonly kind: "pacnew" | "pacsave"; readonly file: string }
  | { readonly kind: "database-missing"; readonly name: string }
  | { readonly kind: "hook"; readonly name: string; readonly description: string }
  | { readonly kind: "progress"; readonly name: string; readonly percent: number }
  | {
      readonly kind: "download";
      readonly file: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: "log"; readonly level: "error" | "warning"; readonly text: string };

/** What libalpm asks (alpm_question_t). */
export type AlpmQuestion =
  | { readonly kind: "install-ignored"; readonly name: string }
  | { readonly kind: "replace"; readonly oldName: string; readonly newName: string }
  | { readonly kind: "remove-conflicting"; readonly name: string; readonly conflicting: string }
  | { readonly kind: "delete-corrupted"; readonly file: string; readonly reason: string }
  | { readonly kind: "skip-unresolvable"; readonly names: readonly string[] }
  | {
      readonly kind: "select-provider";
      readonly names: readonly string[];
      readonly dependency: string;
    }
  | { readonly kind: "import-key"; readonly key: string };

/** The other end of the callbacks. Nothing may be thrown: C stands between. */
export interface AlpmListener {
  onEvent(event: AlpmEvent): void;
  /** Yes is 1, no is 0; of providers the index. */
  onQuestion(question: AlpmQuestion): number;
}

/** alpm_event_type_t, those that are listened to. */
const EVENT = {
  OPERATION_START: 11,
  OPERATION_DONE: 12,
  SCRIPTLET_INFO: 17,
  OPTDEP_REMOVAL: 26,
  DATABASE_MISSING: 27,
  PACNEW_CREATED: 32,
  PACSAVE_CREATED: 33,
  HOOK_RUN_START: 36,
} as const;

const QUESTION = {
  INSTALL_IGNOREPKG: 1,
  REPLACE_PKG: 2,
  CONFLICT_PKG: 4,
  CORRUPTED_PKG: 8,
  REMOVE_PKGS: 16,
  SELECT_PROVIDER: 32,
  IMPORT_KEY: 64,
} as const;

const ANSWER_OFFSET = 4;
const DOWNLOAD = { PROGRESS: 1, COMPLETED: 3 } as const;
/** alpm_progress_t: packages up to this one, checks of the whole transaction after it. */
const PROGRESS_REMOVE = 4;
/** The fingerprint in an alpm_pgpkey_t. */
const PGP_KEY_FINGERPRINT = 8;

/** Functions that C can call; they live until disposed of. */
export class AlpmCallbacks implements Disposable {
  readonly #library: AlpmLibrary;
  readonly #listener: AlpmListener;
  readonly #callbacks: JSCallback[] = [];

  constructor(library: AlpmLibrary, listener: AlpmListener) {
    this.#library = library;
    this.#listener = listener;
  }

  /** Sets all callbacks of a handle. */
  attach(handle: number): void {
    const { calls } = this.#library;
    const at = handle as Pointer;
    const set = (name: keyof AlpmCalls & `alpm_option_set_${string}cb`, made: JSCallback) => {
      this.#callbacks.push(made);
      calls[name](at, made.ptr as Pointer, null);
    };
    const none = "void";
    set(
      "alpm_option_set_logcb",
      new JSCallback(this.#log, { args: ["ptr", "i32", "ptr", "ptr"], returns: none }),
    );
    set(
      "alpm_option_set_eventcb",
      new JSCallback(this.#event, { args: ["ptr", "ptr"], returns: none }),
    );
    set(
      "alpm_option_set_questioncb",
      new JSCallback(this.#question, { args: ["ptr", "ptr"], returns: none }),
    );
    set(
      "alpm_option_set_progresscb",
      new JSCallback(this.#progress, {
        args: ["ptr", "i32", "ptr", "i32", FFIType.i64_fast, FFIType.i64_fast],
        returns: none,
      }),
    );
    set(
      "alpm_option_set_dlcb",
      new JSCallback(this.#download, { args: ["ptr", "ptr", "i32", "ptr"], returns: none }),
    );
  }

  [Symbol.dispose](): void {
    for (const callback of this.#callbacks.splice(0)) callback.close();
  }

  readonly #log = (_context: number, level: number, format: number, variables: number): void => {
    if (level !== ALPM_LOG.ERROR && level !== ALPM_LOG.WARNING) return;
    const text = formattedText(format, variables).trimEnd();
    const isError = level === ALPM_LOG.ERROR;
    this.#listener.onEvent({ kind: "log", level: isError ? "error" : "warning", text });
  };

  readonly #progress = (_context: number, kind: number, name: number, percent: number): void => {
    if (kind > PROGRESS_REMOVE) return;
    this.#listener.onEvent({ kind: "progress", name: cText(name), percent });
  };

  readonly #download = (_context: number, name: number, event: number, data: number): void => {
    if (event !== DOWNLOAD.PROGRESS && event !== DOWNLOAD.COMPLETED) return;
    const isDone = event === DOWNLOAD.COMPLETED;
    const total = longAt(data, isDone ? 0 : 8);
    const done = longAt(data, 0);
    this.#listener.onEvent({ kind: "download", file: cText(name), done, total });
  };

  readonly #event = (_context: number, event: number): void => {
    const made = this.#eventOf(event);
    if (made !== undefined) this.#listener.onEvent(made);
  };

  #eventOf(event: number): AlpmEvent | undefined {
    const type = intAt(event, 0);
    const text = (offset: number): string => cText(pointerAt(event, offset));
    switch (type) {
      case EVENT.OPERATION_START:
      case EVENT.OPERATION_DONE: {
        const shown = pointerAt(event, 16) || pointerAt(event, 8);
        const isDone = type === EVENT.OPERATION_DONE;
        return { kind: "operation", name: this.#nameOf(shown), isDone };
      }
      case EVENT.SCRIPTLET_INFO:
        return { kind: "scriptlet", line: text(8).trimEnd() };
      case EVENT.OPTDEP_REMOVAL: {
        const name = this.#nameOf(pointerAt(event, 8));
        return { kind: "optional-removed", name, optional: this.#dependency(pointerAt(event, 16)) };
      }
      case EVENT.DATABASE_MISSING:
        return { kind: "database-missing", name: text(8) };
      case EVENT.PACNEW_CREATED:
        return { kind: "pacnew", file: text(24) };
      case EVENT.PACSAVE_CREATED:
        return { kind: "pacsave", file: text(16) };
      case EVENT.HOOK_RUN_START:
        return { kind: "hook", name: text(8), description: text(16) };
      default:
        return undefined;
    }
  }

  readonly #question = (_context: number, question: number): void => {
    const asked = this.#questionOf(question);
    const answer = asked === undefined ? 0 : this.#listener.onQuestion(asked);
    writeInt(question, ANSWER_OFFSET, answer);
  };

  #questionOf(question: number): AlpmQuestion | undefined {
    const first = pointerAt(question, 8);
    switch (intAt(question, 0)) {
      case QUESTION.INSTALL_IGNOREPKG:
        return { kind: "install-ignored", name: this.#nameOf(first) };
      case QUESTION.REPLACE_PKG: {
        const newName = this.#nameOf(pointerAt(question, 16));
        return { kind: "replace", oldName: this.#nameOf(first), newName };
      }
      case QUESTION.CONFLICT_PKG: {
        const { package1, package2 } = alpmConflictOf(this.#library, first);
        return { kind: "remove-conflicting", name: package1, conflicting: package2 };
      }
      case QUESTION.CORRUPTED_PKG: {
        const { alpm_strerror: strerror } = this.#library.calls;
        const reason = cText(strerror(intAt(question, 16)));
        return { kind: "delete-corrupted", file: cText(first), reason };
      }
      case QUESTION.REMOVE_PKGS:
        return { kind: "skip-unresolvable", names: listItems(first).map((at) => this.#nameOf(at)) };
      case QUESTION.SELECT_PROVIDER: {
        const names = listItems(first).map((at) => this.#nameOf(at));
        const dependency = this.#dependency(pointerAt(question, 16));
        return { kind: "select-provider", names, dependency };
      }
      case QUESTION.IMPORT_KEY: {
        const { importKeyHoldsTexts } = this.#library.layout;
        const key = importKeyHoldsTexts
          ? pointerAt(question, 16)
          : pointerAt(first, PGP_KEY_FINGERPRINT);
        return { kind: "import-key", key: cText(key) };
      }
      default:
        return undefined;
    }
  }

  #nameOf(pkg: number): string {
    return pkg === 0 ? "" : cText(this.#library.calls.alpm_pkg_get_name(pkg as Pointer));
  }

  #dependency(at: number): string {
    return alpmDependencyText(this.#library, at);
  }
}

/** A dependency as pacman writes it: `name>=version: description`. */
export function alpmDependencyText(library: AlpmLibrary, dependency: number): string {
  const made = library.calls.alpm_dep_compute_string(dependency as Pointer);
  const text = cText(made);
  freeMemory(Number(made ?? 0));
  return text;
}

/** The names of an alpm_conflict_t and why they conflict. */
export function alpmConflictOf(
  library: AlpmLibrary,
  conflict: number,
): { readonly package1: string; readonly package2: string; readonly reason: string } {
  const { holdsPackages, package1, package2, reason } = library.layout.conflict;
  const nameAt = (offset: number): string => {
    const at = pointerAt(conflict, offset);
    return cText(holdsPackages ? library.calls.alpm_pkg_get_name(at as Pointer) : at);
  };
  return {
    package1: nameAt(package1),
    package2: nameAt(package2),
    reason: alpmDependencyText(library, pointerAt(conflict, reason)),
  };
}
