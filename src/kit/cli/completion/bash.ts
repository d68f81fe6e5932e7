import type { CommandModel, FlagModel } from "../model.ts";
import { placesOf } from "./places.ts";

/** Completion for bash 3.2 and later: no associative arrays, no mapfile. */
export function bashCompletion(models: readonly CommandModel[]): string {
  const { models: all, aliases } = placesOf(models);
  const tools = aliases.map(({ path }) => quote(path));
  const toTool = tools.length === 0 ? "" : `      ${tools.join(" | ")}) place=$word ;;\n`;
  const places = all.filter((model) => model.path.includes(" ")).map((model) => quote(model.path));
  const names = models.map((model) => model.name).join(" ");
  return `# Completion of ${names} for bash. Made by "triad completions bash"; to use it:
#   source <(triad completions bash)

_triad_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}

_triad_names() {
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$cur")
  compopt -o filenames 2>/dev/null
}

_triad_complete() {
  local cur prev word place i ended=
  COMPREPLY=()
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --flag=value apart at the equals sign.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  place=\${COMP_WORDS[0]##*/}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      ended=1
      break
    fi
    case "$place $word" in
${toTool}      ${places.join(" | ")}) place="$place $word" ;;
    esac
  done
  if [[ -z $ended ]]; then
    case "$place $prev" in
${all.flatMap(valueCases).join("\n")}
    esac
    if [[ $cur == -* ]]; then
      case $place in
${all.map(flagCase).join("\n")}
      esac
      return
    fi
  fi
  case $place in
${all.map(positionalCase).join("\n")}
  esac
}

complete -F _triad_complete ${names}
`;
}

function valueCases(model: CommandModel): string[] {
  return model.flags
    .filter((flag) => flag.valueLabel !== undefined)
    .map((flag) => {
      const patterns = flag.spellings.map((spelling) => quote(`${model.path} ${spelling}`));
      const action = valueAction(flag);
      return `      ${patterns.join(" | ")}) ${action === "" ? "" : `${action}; `}return ;;`;
    });
}

function valueAction(flag: FlagModel): string {
  if (flag.choices.length > 0) {
    return `_triad_words ${quote(flag.choices.join(" "))}`;
  }
  return namesAction(flag.completes);
}

function namesAction(completes: string): string {
  return completes === "path" ? "_triad_names -f" : completes === "folder" ? "_triad_names -d" : "";
}

function flagCase(model: CommandModel): string {
  const spellings = model.flags.flatMap((flag) => flag.spellings);
  return `        ${quote(model.path)}) _triad_words ${quote(spellings.join(" "))} ;;`;
}

function positionalCase(model: CommandModel): string {
  const commands = model.commands.map((command) => command.name).join(" ");
  const positional = model.positionals[0];
  if (positional?.choices !== undefined && positional.choices.length > 0) {
    return `    ${quote(model.path)}) _triad_words ${quote(positional.choices.join(" "))} ;;`;
  }
  const action =
    commands === ""
      ? namesAction(positional?.completes ?? "none")
      : `_triad_words ${quote(commands)}`;
  return `    ${quote(model.path)}) ${action === "" ? ":" : action} ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
