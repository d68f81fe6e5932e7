import { binaryPath, toolEnvironment } from "./binary.ts";

/** What a command wrote to a terminal, as bytes came, and how it ended. */
export interface TerminalRun {
  readonly code: number;
  /** With escape sequences. */
  readonly raw: string;
  /** Without escape sequences; what a carriage return would have overwritten is kept. */
  readonly text: string;
}

export interface TerminalOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Typed when the output has come to contain the text; each once, in this order. */
  readonly answers?: readonly (readonly [when: string, type: string])[];
}

const TIMEOUT_MS = 60_000;

/** Runs the compiled blit on a pseudo-terminal, for all three of its standard streams. */
export async function blitOnTerminal(
  args: readonly string[],
  options: TerminalOptions,
): Promise<TerminalRun> {
  const decoder = new TextDecoder();
  const answers = [...(options.answers ?? [])];
  let raw = "";
  let seen = 0;
  const over = Promise.withResolvers<void>();
  const child = Bun.spawn([await binaryPath("blit"), ...args], {
    cwd: options.cwd,
    env: toolEnvironment({ TERM: "xterm", ...options.env }),
    terminal: {
      cols: 100,
      rows: 30,
      data(terminal, data) {
        raw += decoder.decode(data, { stream: true });
        const [next] = answers;
        if (next === undefined || !raw.slice(seen).includes(next[0])) return;
        seen = raw.length;
        answers.shift();
        terminal.write(next[1]);
      },
      exit: () => over.resolve(),
    },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const code = await child.exited;
  clearTimeout(timer);
  // What was written last may still be on its way; whoever else has the terminal may keep it.
  await Promise.race([over.promise, Bun.sleep(5000)]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what goes
  const text = raw.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
  return { code, raw, text };
}
