import { readFileSync } from "node:fs";

/** A real shell on a pseudo-terminal. */
export interface ShellSession extends AsyncDisposable {
  /** Types a line and waits until the shell has done it; what was shown meanwhile. */
  run(line: string): Promise<string>;
  /** Types a line that ends the shell, or begins another one; returns at once. */
  type(line: string): void;
  /** Waits until the text is shown. */
  shows(text: string): Promise<void>;
  /** The exported variables, by name, as bytes in latin1. */
  environment(): Promise<Map<string, string>>;
  /** Everything shown so far, without escape sequences. */
  shown(): string;
  /** Waits for the end. */
  ended(): Promise<number>;
}

export interface ShellOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the shell writes its variables to. */
  readonly scratch: string;
}

const TIMEOUT_MS = 50_000;
const POLL_MS = 5;

/** Begins a shell; bash, zsh and fish understand what is typed here alike. */
export function startShell(options: ShellOptions): ShellSession {
  const decoder = new TextDecoder();
  let raw = "";
  let count = 0;
  const child = Bun.spawn([...options.command], {
    cwd: options.cwd,
    env: { TERM: "dumb", LANG: "C.UTF-8", ...options.env },
    terminal: {
      cols: 500,
      rows: 50,
      data(_terminal, data) {
        raw += decoder.decode(data, { stream: true });
      },
    },
  });
  const shown = (): string =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what goes
    raw.replace(/\x1b(\[[0-9;?<>=]*[A-Za-z]|[()][A-Z0-9]|[=>])|\x1b\][^\x07]*\x07/g, "");
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    const limit = Date.now() + TIMEOUT_MS;
    while (!condition()) {
      if (Date.now() > limit) throw new Error(`The shell did not ${what}:\n${shown()}`);
      await Bun.sleep(POLL_MS);
    }
  };
  const type = (line: string): void => {
    child.terminal?.write(`${line}\n`);
  };
  const run = async (line: string): Promise<string> => {
    const from = shown().length;
    count += 1;
    type(line);
    // In two parts, so that the echo of the line is not taken for its output.
    type(`printf '%s%s\\n' '<<do' 'ne ${count}>>'`);
    await until(() => shown().includes(`<<done ${count}>>`), `finish ${JSON.stringify(line)}`);
    return shown().slice(from);
  };
  return {
    run,
    type,
    shown,
    shows: (text) => until(() => shown().includes(text), `show ${JSON.stringify(text)}`),
    async environment() {
      await run(`command env -0 >'${options.scratch}'`);
      const texts = readFileSync(options.scratch, "latin1").split("\0").slice(0, -1);
      return new Map(texts.map((text): [string, string] => splitOnce(text)));
    },
    ended: () => child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      child.terminal?.close();
    },
  };
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}
