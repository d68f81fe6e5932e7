import { basename } from "node:path";
import type { AlpmEvent, AlpmQuestion } from "../../../ffi/alpm/callback.ts";
import type { PackageEvent, TransactionRequest } from "./types.ts";

/**
 * What happens without being asked for, in sentences: every answer that was given in place of the
 * user, every file that was kept.
 */
export class Notes {
  readonly #root: string;
  readonly #onEvent: (event: PackageEvent) => void;
  readonly #all: string[] = [];
  readonly #corrupted: string[] = [];

  constructor(root: string, onEvent: (event: PackageEvent) => void) {
    this.#root = root === "/" ? "" : root;
    this.#onEvent = onEvent;
  }

  get all(): readonly string[] {
    return this.#all;
  }

  /** Names of the package files that were found damaged. */
  get corruptedFiles(): readonly string[] {
    return this.#corrupted;
  }

  addCorrupted(path: string): void {
    this.#corrupted.push(basename(path));
    this.add(`The damaged file "${this.withoutRoot(path)}" was deleted`);
  }

  /** Keeps a sentence, once. */
  add(text: string): void {
    if (this.#all.includes(text)) return;
    this.#all.push(text);
    this.#onEvent({ kind: "note", text });
  }

  /** The same file, from the root. */
  withoutRoot(path: string): string {
    const rest = path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length) : path;
    return rest.startsWith("/") ? rest : `/${rest}`;
  }

  /** A line of libalpm's or pacman's own, with what is known said in our words. */
  addWarning(line: string): void {
    const text = line.replace(/^warning: /, "").trim();
    const kept = /^(.+) installed as (.+)\.pacnew$/.exec(text)?.[1];
    const saved = /^(.+) saved as (.+)\.pacsave$/.exec(text)?.[1];
    if (kept !== undefined) this.addPacnew(kept);
    else if (saved !== undefined) this.addPacsave(saved);
    else this.add(text.replaceAll(`${this.#root}/`, "/"));
  }

  /** An error in spite of which the transaction went well. */
  addError(line: string): void {
    this.add(`Something failed on the way: ${line.replaceAll(`${this.#root}/`, "/")}`);
  }

  addOptional(name: string, dependency: string): void {
    this.add(`"${name}" can also use ${dependency}`);
  }

  addPacnew(file: string): void {
    const path = this.withoutRoot(file);
    this.add(`"${path}" was changed here and stays; the package's own is "${path}.pacnew"`);
  }

  addPacsave(file: string): void {
    const path = this.withoutRoot(file);
    this.add(`"${path}" was changed here; it is kept as "${path}.pacsave"`);
  }

  /** Passes on what is no sentence. */
  pass(event: AlpmEvent): void {
    if (event.kind === "progress") {
      this.#onEvent({ kind: "change", name: event.name, percent: event.percent });
    } else if (event.kind === "download") {
      const { file, done, total } = event;
      this.#onEvent({ kind: "download", file, done, total });
    } else if (event.kind === "hook") {
      this.#onEvent({ kind: "hook", name: event.description || event.name });
    } else if (event.kind === "scriptlet" && event.line !== "") {
      this.#onEvent({ kind: "note", text: event.line });
    }
  }
}

/**
 * The answers that stand for the user's: those of `pacman --noconfirm`, but no key is imported, and
 * what is ignored stays so unless it was asked for by name. Each is noted.
 */
export function answerTo(
  question: AlpmQuestion,
  request: TransactionRequest,
  notes: Pick<Notes, "add" | "addCorrupted">,
): number {
  switch (question.kind) {
    case "install-ignored": {
      const isAsked = request.install?.some((name) => /^[^<>=]*/.exec(name)?.[0] === question.name);
      if (isAsked !== true) return 0;
      notes.add(`"${question.name}" is to be ignored, and was asked for by name: it is changed`);
      return 1;
    }
    case "replace":
      notes.add(`"${question.newName}" replaces "${question.oldName}"`);
      return 1;
    case "remove-conflicting": {
      const isMeant = request.remove?.includes(question.conflicting) ?? false;
      if (!isMeant && request.removeConflicting !== true) return 0;
      const reason = `it conflicts with "${question.name}"`;
      notes.add(`"${question.conflicting}" is removed: ${reason}`);
      return 1;
    }
    case "delete-corrupted":
      notes.addCorrupted(question.file);
      return 1;
    case "select-provider": {
      const first = question.names[0] ?? "";
      const all = question.names.join(", ");
      notes.add(`"${first}" was taken for "${question.dependency}", of ${all}`);
      return 0;
    }
    case "skip-unresolvable":
      return 0;
    case "import-key":
      notes.add(`The key "${question.key}" is not in the keyring; it was not fetched`);
      return 0;
  }
}
