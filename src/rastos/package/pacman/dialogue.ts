import type { AlpmQuestion } from "../../../../ffi/alpm/callback.ts";
import { feed } from "../../../kit/proc/feed.ts";
import { promptAt } from "./output.ts";

/** One run of pacman. */
export interface DialogueOptions {
  readonly argv: readonly string[];
  /** Yes is 1, no is 0; of providers the index. */
  readonly answer: (question: AlpmQuestion) => number;
  /** What to say when pacman has shown what it is about to do. */
  readonly proceeds: boolean;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** All that pacman has printed, and how it ended. */
export interface DialogueResult {
  readonly text: string;
  readonly exitCode: number;
  /** It stopped because it was told not to proceed. */
  readonly wasDeclined: boolean;
}

/** A width at which pacman breaks no line. */
const COLUMNS = "100000";

/**
 * Runs pacman and answers what it asks. Output and errors come through one pipe, in their order:
 * pacman flushes one before it writes a question to the other.
 */
export async function runPacman(options: DialogueOptions): Promise<DialogueResult> {
  const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>&1', "sh", ...options.argv], {
    // English, but names in UTF-8: libarchive refuses them in the locale "C".
    env: { ...process.env, LC_ALL: "C.UTF-8", LANGUAGE: "C", COLUMNS },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const interrupt = (): void => child.kill("SIGINT");
  options.signal?.addEventListener("abort", interrupt, { once: true });
  const decoder = new TextDecoder();
  const listener = new Listener(options, (answer) => {
    // Where it has ended its exit code says more.
    feed(child.stdin, `${answer}\n`).catch(() => {});
  });
  try {
    for await (const bytes of child.stdout) listener.take(decoder.decode(bytes, { stream: true }));
    const exitCode = await child.exited;
    return { text: listener.text, exitCode, wasDeclined: listener.wasDeclined };
  } finally {
    options.signal?.removeEventListener("abort", interrupt);
  }
}

class Listener {
  readonly #options: DialogueOptions;
  readonly #say: (answer: string) => void;
  /** Everything up to now; behind each question a line break that nobody printed. */
  text = "";
  wasDeclined = false;
  #told = 0;

  constructor(options: DialogueOptions, say: (answer: string) => void) {
    this.#options = options;
    this.#say = say;
  }

  take(part: string): void {
    this.text += part.replaceAll("\r", "\n");
    const prompt = promptAt(this.text);
    if (prompt !== undefined) {
      const answer = this.#answerTo(prompt);
      this.text += "\n";
      this.#say(answer);
    }
    this.#tellLines();
  }

  #answerTo(prompt: NonNullable<ReturnType<typeof promptAt>>): string {
    switch (prompt.kind) {
      case "proceed":
        this.wasDeclined = !this.#options.proceeds;
        return this.#options.proceeds ? "y" : "n";
      case "selection":
      case "unknown":
        return "";
      case "question": {
        const number = this.#options.answer(prompt.question);
        if (prompt.question.kind === "select-provider") return String(number + 1);
        return number === 0 ? "n" : "y";
      }
    }
  }

  #tellLines(): void {
    const end = this.text.lastIndexOf("\n") + 1;
    const lines = this.text.slice(this.#told, end).split("\n").slice(0, -1);
    this.#told = Math.max(this.#told, end);
    for (const line of lines) this.#options.onLine(line);
  }
}
