import { redactCredentials } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { openProject } from "../sync/project.ts";
import { type IndexFlags, Session } from "../sync/session.ts";

/** A session in the working folder. */
export async function openSession(
  printer: Printer,
  flags: IndexFlags & { readonly "no-project"?: boolean },
): Promise<Session> {
  const environment = process.env;
  const folder = process.cwd();
  const project = await openProject(folder, environment);
  for (const { key, origin } of project.config.ineffective) {
    printer.verbose(`${key} of ${origin} has no effect yet`);
  }
  return new Session({ printer, folder, environment, project, flags });
}

/** The command line as the user typed it, for other processes and the history: no passwords. */
export function commandText(context: {
  readonly commandPath: string;
  readonly argv: readonly string[];
}): string {
  return [context.commandPath, ...context.argv].map(redactCredentials).join(" ");
}
