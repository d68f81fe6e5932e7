/** The names that the executable answers to; the only place where the rooms meet. */
import type { CommandSpec } from "./kit/cli/command.ts";

type LoadSpec = () => Promise<CommandSpec> | CommandSpec;

/** The tools by name. Reserved ones are dispatched and listed nowhere. */
const TOOLS: Readonly<Record<string, LoadSpec>> = {
  blit: async () => (await import("./blit/door.ts")).blitCommand,
  blast: () => reservedTool("blast"),
  blitd: () => reservedTool("blitd"),
  rastos: () => reservedTool("rastos"),
};

/** The executable's own name. */
const OWN_NAME = "triad";

/** Which tool is called, and under which name. */
export interface Applet {
  readonly name: string;
  readonly spec: CommandSpec;
}

/**
 * The tool for the name that the process was called by: the last part of argv[0], without `.exe`.
 * Every name that is no tool's is triad itself, so that a renamed executable still works.
 */
export async function appletFor(argv0: string): Promise<Applet> {
  const name = argv0.slice(Math.max(argv0.lastIndexOf("/"), argv0.lastIndexOf("\\")) + 1);
  const plain = name.replace(/\.exe$/i, "");
  const load = Object.hasOwn(TOOLS, plain) ? TOOLS[plain] : undefined;
  if (load !== undefined) {
    return { name: plain, spec: await load() };
  }
  const { triadCommand } = await import("./triad/door.ts");
  return { name: OWN_NAME, spec: triadCommand({ tools: TOOLS }) };
}

function reservedTool(name: string): CommandSpec {
  return { meta: { name, description: "Not in this build" }, tool: true, reserved: true };
}
