import type { CommandContext } from "../../kit/cli/command.ts";
import { escapeControls } from "../../kit/fault/redact.ts";
import { formatTable } from "../../kit/text/table.ts";
import { browse, type MdnsOptions } from "../discover/mdns.ts";
import type { FoundDaemon } from "../discover/service-records.ts";
import { DEFAULT_PORT, hostPort } from "../endpoint.ts";
import type { ScanArgs } from "./scan.ts";

const waitSeconds = 2;

/** Runs `blit scan`. */
export async function run(
  context: Pick<CommandContext<ScanArgs>, "args" | "printer">,
  options: MdnsOptions = {},
): Promise<number> {
  const { printer, args } = context;
  const waitMs = (args.wait ?? waitSeconds) * 1000;
  if (printer.isTerminal(2) && !printer.jsonMode) printer.transient("Listening for daemons …");
  const found = await browse({ waitMs }, options).finally(() => printer.transient(""));
  if (printer.jsonMode) {
    for (const daemon of found) printer.json({ schema: "blit.scan/1", ...daemon });
    return 0;
  }
  if (found.length === 0) {
    printer.note(
      "No daemon has answered; one that does not advertise itself is named: blit list SERVER",
    );
    return 0;
  }
  for (const line of formatTable(columns, found.map(rowOf))) printer.out(line);
  return 0;
}

const columns = [{ title: "Name" }, { title: "Server" }, { title: "Host" }, { title: "Facts" }];

/** All of it comes from the network. */
function rowOf(daemon: FoundDaemon): string[] {
  const { name, address, port, host, txt } = daemon;
  const server = port === DEFAULT_PORT ? address : hostPort({ host: address, port });
  const facts = Object.entries(txt).map(([key, value]) => `${key}=${value}`);
  return [name, server, host, facts.join(" ")].map((text) => escapeControls(text).slice(0, 80));
}
