import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { formatTable } from "../../../kit/text/table.ts";
import { parseConfig } from "../../kernel/config-file.ts";
import { findProfile, KERNEL_PROFILES } from "../../kernel/profiles.ts";
import type { ProfilesArgs } from "./profiles.ts";

type Context = Pick<CommandContext<ProfilesArgs>, "args" | "printer">;

/** Lists the profiles, or prints the one that is named. */
export async function run({ args, printer }: Context): Promise<number> {
  if (args.name !== undefined) {
    const profile = findProfile(args.name);
    if (profile === undefined) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot show the profile "${args.name}": there is none of that name`,
        hint: `the profiles are ${KERNEL_PROFILES.map(({ name }) => name).join(", ")}`,
      });
    }
    const text = await profile.load();
    if (printer.jsonMode) {
      const { name, description, base } = profile;
      const settings = parseConfig(name, text);
      printer.json({ schema: "rastos.kernel-profile/1", name, description, base, settings });
    } else printer.raw(text);
    return 0;
  }
  if (printer.jsonMode) {
    const profiles = KERNEL_PROFILES.map(({ name, description, base }) => ({
      name,
      description,
      base,
    }));
    printer.json({ schema: "rastos.kernel-profiles/1", profiles });
    return 0;
  }
  const columns = [{ title: "NAME" }, { title: "BASE" }, { title: "FOR" }];
  const rows = KERNEL_PROFILES.map(({ name, base, description }) => [name, base, description]);
  for (const line of formatTable(columns, rows)) printer.out(line);
  return 0;
}
