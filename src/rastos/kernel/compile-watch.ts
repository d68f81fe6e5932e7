import { Fault } from "../../kit/fault/fault.ts";
import { escapeControls } from "../../kit/fault/redact.ts";

/** What the output of make has told so far. Pure: lines go in, figures come out. */
export class CompileWatch {
  /** Files that have been compiled. */
  compiled = 0;
  /** What is being worked on. */
  current: string | undefined;
  #error: string[] | undefined;
  #isCollecting = false;
  /** Of make or the linker: only counts where no compiler has complained. */
  #lateError: string | undefined;
  readonly #last: string[] = [];

  /** One line of either stream. */
  add(raw: string): void {
    const line = escapeControls(raw.trimEnd().slice(0, LINE_CHARACTERS_MAX));
    const step = STEP.exec(line);
    if (step?.[1] !== undefined && step[2] !== undefined) {
      if (COMPILERS.has(step[1])) this.compiled += 1;
      this.current = step[2];
      this.#isCollecting = false;
      return;
    }
    const command = COMMAND.exec(raw.slice(0, COMMAND_CHARACTERS_MAX))?.[1];
    if (command !== undefined) {
      this.compiled += 1;
      this.current = escapeControls(command);
      this.#isCollecting = false;
      return;
    }
    if (line.trim() === "") return;
    this.#last.push(line);
    if (this.#last.length > LINES_MAX) this.#last.shift();
    this.#look(line);
  }

  #look(line: string): void {
    if (this.#error === undefined && COMPILER_ERROR.test(line)) {
      this.#error = [line];
      this.#isCollecting = true;
    } else if (this.#isCollecting && this.#error !== undefined) {
      // What belongs to it: the source line and the mark below it, notes.
      if (MAKE_ERROR.test(line) || COMPILER_ERROR.test(line)) this.#isCollecting = false;
      else if (this.#error.length < LINES_MAX) this.#error.push(line);
    }
    if (this.#lateError === undefined && LATE_ERROR.test(line)) this.#lateError = line;
  }

  /** The failure of a build: the first error of the compiler, else the last lines. */
  fault(what: string, log: string, exitCode: number | undefined): Fault {
    const [first, ...more] = this.#error ?? [];
    const reason = first ?? this.#lateError ?? `make ended with ${exitCode ?? "a signal"}`;
    return new Fault({
      code: "E_BUILD",
      message: `Cannot ${what}: ${reason.replace(/^(\.\.\/)+/, "")}`,
      excerpt: first === undefined ? this.#last : more,
      hint: `all that was printed is in "${log}"`,
      details: { log, error: reason },
    });
  }
}

const LINES_MAX = 12;
const LINE_CHARACTERS_MAX = 500;
/** Include paths make the commands of compilers long. */
const COMMAND_CHARACTERS_MAX = 20_000;

/** `  CC [M]  fs/btrfs/super.o`. */
const STEP = /^ {2}([A-Z][A-Z0-9_]*)(?: \[M\])? +(\S+)/;
/** The same with V=1: `  gcc … -c -o fs/btrfs/super.o …`; not what this machine itself needs. */
const COMMAND = /^ {2}\S.* -c -o (?!scripts\/|tools\/)(\S+\.o)(?: |$)/;
const COMPILERS = new Set(["CC", "AS"]);
const COMPILER_ERROR = /^[^\s:]+:\d+(:\d+)?: (fatal )?error: /i;
const MAKE_ERROR = /^make(\[\d+\])?: \*\*\* /;
const LATE_ERROR =
  /undefined reference to|^ERROR: modpost|^\S*ld: |: No rule to make target|\*\*\* /;
