import type { CommandSpec } from "../kit/cli/command.ts";

/** Hands out a spec, loading it when it is first asked for. */
export type LoadSpec = () => Promise<CommandSpec> | CommandSpec;

/** What triad's own commands need from outside this folder; `src/applets.ts` plugs it in. */
export interface TriadPorts {
  /** The tools by name, those that are not built yet included. */
  readonly tools: Readonly<Record<string, LoadSpec>>;
  /** triad's own spec, of which these commands are a part. */
  readonly triad: LoadSpec;
}
