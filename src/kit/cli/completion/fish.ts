import type { CommandModel, FlagModel } from "../model.ts";
import { placesOf } from "./places.ts";

/** Completion for fish 3 and later. */
export function fishCompletion(models: readonly CommandModel[]): string {
  const { models: all, aliases } = placesOf(models);
  const tools = aliases.map(({ path }) => quote(path));
  const toTool =
    tools.length === 0
      ? ""
      : `            case ${tools.join(" ")}\n                set place $word\n`;
  const places = all.filter((model) => model.path.includes(" ")).map((model) => quote(model.path));
  const names = models.map((model) => model.name).join(" ");
  const callers = new Map(aliases.map(({ path, tool }) => [tool, path.split(" ")[0] ?? ""]));
  const lines = all.flatMap((place) => {
    const [name = ""] = place.path.split(" ");
    const caller = callers.get(name);
    return placeLines(caller === undefined ? [name] : [caller, name], place);
  });
  return `# Completion of ${names} for fish. Made by "triad completions fish"; to use it:
#   triad completions fish | source

function __triad_at --argument-names wanted
    set -l words (commandline -opc)
    set -l place (string replace -r '.*/' '' -- $words[1])
    for word in $words[2..-1]
        switch "$place $word"
${toTool}            case ${places.join(" ")}
                set place "$place $word"
        end
    end
    test "$place" = "$wanted"
end

${lines.join("\n")}
`;
}

function placeLines(names: readonly string[], model: CommandModel): string[] {
  const start = `complete -c ${names.join(" -c ")} -n ${quote(`__triad_at ${quote(model.path)}`)}`;
  const commands = model.commands.map(
    (command) => `${start} -f -a ${quote(command.name)} -d ${quote(command.summary)}`,
  );
  const flags = model.flags.map(
    (flag) => `${start}${flagWords(flag)} -d ${quote(flag.description)}`,
  );
  return [...commands, ...positionalLines(start, model), ...flags];
}

function positionalLines(start: string, model: CommandModel): string[] {
  const [positional] = model.positionals;
  if (positional === undefined) {
    return [`${start} -f`];
  }
  if (positional.choices.length > 0) {
    return [`${start} -f -a ${quote(positional.choices.join(" "))}`];
  }
  if (positional.completes === "folder") {
    return [`${start} -f -a ${quote("(__fish_complete_directories)")}`];
  }
  return positional.completes === "none" ? [`${start} -f`] : [`${start} -F`];
}

function flagWords(flag: FlagModel): string {
  const spelled = flag.spellings
    .map((spelling) =>
      spelling.startsWith("--") ? ` -l ${spelling.slice(2)}` : ` -s ${spelling.slice(1)}`,
    )
    .join("");
  if (flag.valueLabel === undefined) {
    return spelled;
  }
  if (flag.choices.length > 0) {
    return `${spelled} -x -a ${quote(flag.choices.join(" "))}`;
  }
  if (flag.completes === "folder") {
    return `${spelled} -x -a ${quote("(__fish_complete_directories)")}`;
  }
  return flag.completes === "path" ? `${spelled} -r -F` : `${spelled} -x`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
