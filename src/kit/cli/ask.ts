import { createReadStream } from "node:fs";
import { isatty } from "node:tty";
import type { Printer } from "../out/printer.ts";

type Answer = "yes" | "no" | "nobody";

/** Asks on the terminal; "nobody" where there is none to ask on. Only y and yes mean yes. */
export async function askOnTerminal(printer: Printer, question: string): Promise<Answer> {
  if (!isatty(0) || !printer.isTerminal(2)) return "nobody";
  printer.prompt(`${question} [y/N] `);
  const input = createReadStream("", { fd: 0, autoClose: false, encoding: "utf8" });
  let line = "";
  for await (const chunk of input) {
    line += String(chunk);
    if (line.includes("\n")) break;
  }
  return /^\s*y(es)?\s*$/i.test(line.split("\n")[0] ?? "") ? "yes" : "no";
}
