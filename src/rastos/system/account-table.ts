/**
 * A file of lines with fields between colons: passwd(5), group(5), shadow(5), gshadow(5). Lines
 * that nobody changes keep every byte, comments and NIS lines too. Text is latin1, one character a
 * byte: the files have no encoding. Pure.
 */
export class AccountTable {
  readonly #before: string;
  #lines: string[];

  /** @param text undefined where there is no file */
  constructor(text: string | undefined) {
    this.#before = text ?? "";
    this.#lines = this.#before.split("\n");
    if (this.#lines.at(-1) === "") this.#lines.pop();
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  get isChanged(): boolean {
    // Without the last line end, which not every file has.
    return this.text.trimEnd() !== this.#before.trimEnd();
  }

  /** Fields of every entry. */
  rows(): string[][] {
    return this.#lines.filter(isEntry).map((line) => line.split(":"));
  }

  /** Fields of the first entry with this name: what getpwnam(3) finds. */
  find(name: string): string[] | undefined {
    return this.#lines.find((line) => line.startsWith(`${name}:`))?.split(":");
  }

  /** Replaces the entry with this name, or adds one at the end, before NIS lines. */
  set(name: string, fields: readonly string[]): void {
    const line = fields.join(":");
    const index = this.#lines.findIndex((one) => one.startsWith(`${name}:`));
    if (index >= 0) {
      this.#lines[index] = line;
      return;
    }
    // Entries behind "+" are not found in compat mode (nsswitch.conf(5)).
    const nis = this.#lines.findIndex((one) => one.startsWith("+"));
    this.#lines.splice(nis < 0 ? this.#lines.length : nis, 0, line);
  }

  remove(name: string): void {
    this.#lines = this.#lines.filter((line) => !line.startsWith(`${name}:`));
  }
}

function isEntry(line: string): boolean {
  return /^[^#+:-][^:]*:/.test(line);
}

/** The members in a field of group(5). */
export function membersOf(field: string | undefined): string[] {
  return (field ?? "").split(",").filter((name) => name !== "");
}
