import type { CommandContext } from "../../kit/cli/command.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { checkEnvironment } from "../env/check.ts";
import type { Finding } from "../env/finding.ts";
import { checkProject } from "../sync/check-project.ts";
import { openPlace, type Place } from "../sync/place.ts";
import type { Session } from "../sync/session.ts";
import type { CheckArgs } from "./check.ts";
import { commandText, openSession } from "./open-session.ts";

/** Compares what is installed with what was installed. */
export async function run(context: CommandContext<CheckArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, args);
  const place = await openPlace(session, { python: args.python, create: false });
  const store = await session.store();
  const options = { store, interpreter: place.interpreter };
  const look = async (): Promise<Finding[]> => [
    ...checkEnvironment(place.environment, options),
    ...(await checkProject(session, place)),
  ];
  let findings = await look();
  if (args.repair && findings.length > 0) {
    await mend(session, place, findings, commandText(context));
    findings = await look();
  }
  if (printer.jsonMode) {
    for (const finding of findings) printer.json({ schema: "blast.check/1", ...finding });
  } else {
    for (const { kind, message } of findings) printer.out(`${kind}: ${message}`);
    conclude(printer, findings, place.environment.installed().length, args.repair);
  }
  return findings.length === 0 ? 0 : 1;
}

async function mend(
  session: Session,
  place: Place,
  findings: readonly Finding[],
  command: string,
): Promise<void> {
  const { printer } = session;
  const [{ repair }, { repairStore }] = await Promise.all([
    import("../env/repair.ts"),
    import("../sync/repair-store.ts"),
  ]);
  const result = await repair(place.environment, findings, await repairStore(session, place), {
    command,
    onWait: (holder) => printer.note(`Waiting for ${holder}`),
  });
  for (const name of result.mended) printer.note(`Mended: ${name}`);
  for (const { finding, reason } of result.left) {
    printer.warn(`Not mended: ${finding.message}: ${reason}`);
  }
}

function conclude(
  printer: Printer,
  findings: readonly Finding[],
  packages: number,
  repaired: boolean,
): void {
  if (findings.length === 0) {
    const what =
      packages === 1 ? "1 package is as it was" : `${packages} packages are as they were`;
    printer.note(`${what} installed`);
    return;
  }
  const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  printer.note(`${count} in ${packages} package${packages === 1 ? "" : "s"}`);
  const isUnmet = ({ kind }: Finding): boolean => kind === "unmet" || kind === "conflict";
  if (findings.some(isUnmet)) printer.note("`blast sync` installs what is asked for");
  if (!repaired) printer.note("`blast check --repair` mends what can be mended");
}
