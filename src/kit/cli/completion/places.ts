import { allCommands, type CommandModel } from "../model.ts";

/** What a script offers words for: each place once, though tools can be called in two ways. */
export interface Places {
  readonly models: readonly CommandModel[];
  /** "triad blit": from there on all is as after "blit". */
  readonly aliases: readonly { readonly path: string; readonly tool: string }[];
}

/** The places of all commands. A tool is described under its own name alone. */
export function placesOf(models: readonly CommandModel[]): Places {
  const names = new Set(models.map(({ path }) => path));
  const aliases = models.flatMap(({ path, commands }) =>
    commands
      .filter(({ name }) => names.has(name))
      .map(({ name }) => ({ path: `${path} ${name}`, tool: name })),
  );
  const isBelowAlias = (model: CommandModel): boolean =>
    aliases.some(({ path }) => model.path === path || model.path.startsWith(`${path} `));
  return {
    models: models.flatMap(allCommands).filter((model) => !isBelowAlias(model)),
    aliases,
  };
}
