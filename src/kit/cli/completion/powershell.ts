import type { CommandModel, FlagModel } from "../model.ts";
import { placesOf } from "./places.ts";

/** Completion for PowerShell 5 and later. Where it offers nothing, PowerShell offers file names. */
export function powershellCompletion(models: readonly CommandModel[]): string {
  const { models: all, aliases } = placesOf(models);
  const tools = aliases.map(({ path, tool }) => `${quote(path)} = ${quote(tool)}`).join("; ");
  const names = models.map((model) => model.name);
  return `# Completion of ${names.join(" ")} for PowerShell.
# Made by "triad completions powershell"; to use it:
#   triad completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName ${names.map(quote).join(", ")} -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $places = @{
${all.map(placeEntry).join("\n")}
    }
    $values = @{
${all.flatMap(valueEntries).join("\n")}
    }
    $tools = @{ ${tools} }
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    if ($wordToComplete -ne '' -and $words.Count -gt 1) { $words = $words[0..($words.Count - 2)] }
    $place = [System.IO.Path]::GetFileNameWithoutExtension($words[0])
    foreach ($word in @($words | Select-Object -Skip 1)) {
        if ($tools.ContainsKey("$place $word")) { $place = $tools["$place $word"] }
        elseif ($places.ContainsKey("$place $word")) { $place = "$place $word" }
    }
    $previous = "$place $($words[-1])"
    # Plain assignments: as the value of an "if", a list of one pair would lose its outer list.
    $found = $places[$place]
    if ($values.ContainsKey($previous)) { $found = $values[$previous] }
    $found | Where-Object { $_[0] -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
`;
}

function placeEntry(model: CommandModel): string {
  const items = [
    ...model.commands.map((command) => item(command.name, command.summary)),
    ...model.positionals.flatMap((positional) =>
      positional.choices.map((choice) => item(choice, positional.description)),
    ),
    ...model.flags.flatMap((flag) =>
      flag.spellings.map((spelling) => item(spelling, flag.description)),
    ),
  ];
  return `        ${quote(model.path)} = ${list(items)}`;
}

function valueEntries(model: CommandModel): string[] {
  const withChoices = model.flags.filter((flag) => flag.choices.length > 0);
  return withChoices.flatMap((flag: FlagModel) =>
    flag.spellings.map((spelling) => {
      const items = flag.choices.map((choice) => item(choice, flag.description));
      return `        ${quote(`${model.path} ${spelling}`)} = ${list(items)}`;
    }),
  );
}

function item(word: string, description: string): string {
  return `@(${quote(word)}, ${quote(description)})`;
}

/** The comma in front of a lone pair keeps it a list of one pair. */
function list(items: readonly string[]): string {
  return items.length === 1 ? `@(,${items[0]})` : `@(${items.join(", ")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
