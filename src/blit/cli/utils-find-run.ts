import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { FindQuery } from "../admin/types.ts";
import { entryLine, jsonOfEntry, listedEntry, shownName } from "./entry-rows.ts";
import { Troubles } from "./issue-lines.ts";
import { Places, shownBelow } from "./places.ts";
import { parseMoment, parseSize } from "./quantities.ts";
import type { FindArgs } from "./utils-find.ts";

type Context = Pick<CommandContext<FindArgs>, "args" | "printer" | "rawPositionals" | "rawValues">;

/** Runs `blit utils find`. */
export async function run(context: Context): Promise<number> {
  const { printer, args } = context;
  const given = context.rawPositionals();
  const query = queryOf(context);
  using places = new Places({ flags: args, printer });
  const troubles = new Troubles(printer);
  let left = args.limit ?? Number.MAX_SAFE_INTEGER;
  for (const argument of given.length === 0 ? ["."] : given) {
    try {
      const place = await places.open(argument);
      const request = { call: "find", path: place.path, query: { ...query, resultsMax: left } };
      for await (const chunk of place.source.run({ ...request, call: "find" })) {
        for (const entry of chunk.entries) {
          const path = shownBelow(place, entry.path);
          const listed = listedEntry(entry, path, path);
          if (printer.jsonMode) printer.json(jsonOfEntry(listed, "blit.find/1"));
          else printer.out(args.long ? entryLine(listed, printer) : shownName(path));
        }
        left -= chunk.entries.length;
        troubles.tell(chunk.issues);
        if (chunk.isCutOff && left > 0) troubles.fail(cutOff(argument));
      }
      troubles.done();
    } catch (error) {
      troubles.fail(error);
    }
    if (left <= 0) break;
  }
  return troubles.exitCode;
}

function cutOff(argument: string): Fault {
  return new Fault({
    code: "E_PARTIAL",
    message: `Cannot show all of "${shownName(argument)}": the daemon stops here`,
    hint: "search its folders one by one, or with more conditions",
  });
}

function queryOf({ args, rawValues }: Context): Omit<FindQuery, "resultsMax"> {
  if (args.name !== undefined && args.iname !== undefined) {
    throw new Fault({ code: "E_USAGE", message: "Cannot use --name and --iname together" });
  }
  const nowMs = Date.now();
  const moment = (flag: "newer-than" | "older-than"): number | undefined => {
    const text = args[flag];
    return text === undefined ? undefined : parseMoment(`--${flag}`, text, nowMs);
  };
  return {
    namePattern: rawValues("name").at(-1) ?? rawValues("iname").at(-1),
    foldsCase: args.iname !== undefined,
    kind: args.type,
    sizeMinBytes: args["min-size"] === undefined ? 0 : parseSize("--min-size", args["min-size"]),
    sizeMaxBytes:
      args["max-size"] === undefined ? undefined : parseSize("--max-size", args["max-size"]),
    mtimeSinceSec: moment("newer-than"),
    mtimeUntilSec: moment("older-than"),
  };
}
