import { existsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { choosePython } from "../python/find.ts";
import { findPin, PIN_FILES } from "../python/pin.ts";
import { parseRequest } from "../python/request.ts";
import type { PythonPinArgs } from "./python-pin.ts";

/** Writes, tells or removes the pin. */
export async function run(context: CommandContext<PythonPinArgs>): Promise<number> {
  const { args, printer } = context;
  const path = join(process.cwd(), PIN_FILES[0]);
  if (args.remove) {
    if (!existsSync(path)) throw nothingPinned();
    unlinkSync(path);
    printer.note(`Removed ${PIN_FILES[0]}`);
    return 0;
  }
  if (args.request === undefined) {
    const pin = findPin(process.cwd());
    if (pin === undefined) throw nothingPinned();
    if (printer.jsonMode) printer.json({ schema: "blast.python-pin/1", ...pin });
    else printer.out(pin.version);
    return 0;
  }
  const request = parseRequest(args.request, "the command line");
  if (request.kind === "any") {
    throw new Fault({ code: "E_USAGE", message: `Cannot pin "${args.request}": it is no version` });
  }
  const text = args.request.trim();
  writeFileAtomic({ path, content: `${text}\n` });
  if (printer.jsonMode) printer.json({ schema: "blast.python-pin/1", version: text, path });
  printer.note(`Pinned Python ${text} in ${PIN_FILES[0]}`);
  await warnIfMissing(context, text);
  return 0;
}

/** A pin for a Python that is yet to come is fine, but worth a word. */
async function warnIfMissing(
  { printer }: CommandContext<PythonPinArgs>,
  text: string,
): Promise<void> {
  const folder = process.cwd();
  try {
    await choosePython(text, { environment: process.env, folder, origin: PIN_FILES[0] });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "E_NOT_FOUND") throw error;
    printer.warn(error.message, error.hint);
  }
}

function nothingPinned(): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find a pin: there is no ${PIN_FILES[0]} here`,
    hint: "pin a version with `blast python pin 3.12`",
  });
}
