import { createReadStream } from "node:fs";
import { isatty } from "node:tty";
import type { Printer } from "../out/printer.ts";

type Answer = "yes" | "no" | "nobody";

/** Asks on the terminal; "nobody" where there is none to ask on. Only y and yes mean yes. */
export async function askOnTerminal(printer: Printer, question: string): Promise<Answer> {
  const line = await askForText(printer, `${question} [y/N]`);
  if (line === undefined) return "nobody";
  return /^y(es)?$/i.test(line) ? "yes" : "no";
}

/** Asks for a line on the terminal, without spaces around; undefined where there is none. */
export async function askForText(printer: Printer, question: string): Promise<string | undefined> {
  if (!isatty(0) || !printer.isTerminal(2)) return undefined;
  printer.prompt(`${question} `);
  const input = createReadStream("", { fd: 0, autoClose: false, encoding: "utf8" });
  let line = "";
  for await (const chunk of input) {
    line += String(chunk);
    if (line.includes("\n")) break;
  }
  return (line.split("\n")[0] ?? "").trim();
}
