import type { CommandModel, FlagModel, PositionalModel } from "../model.ts";
import { placesOf } from "./places.ts";

/** Completion for zsh, to be sourced or put into a folder of $fpath as `_triad`. */
export function zshCompletion(models: readonly CommandModel[]): string {
  const { models: all, aliases } = placesOf(models);
  const tools = aliases.map(({ path }) => quote(path));
  const toTool = tools.length === 0 ? "" : `      (${tools.join("|")}) place=$words[i]; at=$i ;;\n`;
  const places = all.filter((model) => model.path.includes(" ")).map((model) => quote(model.path));
  const names = models.map((model) => model.name).join(" ");
  return `#compdef ${names}
# Completion of ${names} for zsh. Made by "triad completions zsh"; to use it, after compinit:
#   source <(triad completions zsh)

_triad() {
  local place=\${words[1]:t} i at=1
  for ((i = 2; i < CURRENT; i++)); do
    [[ $words[i] == -- ]] && break
    case "$place $words[i]" in
${toTool}      (${places.join("|")}) place="$place $words[i]"; at=$i ;;
    esac
  done
  words=("$place" "\${(@)words[at+1,-1]}")
  (( CURRENT -= at - 1 ))
  local -a commands
  case $place in
${all.map(placeCase).join("\n")}
  esac
}

if [[ $funcstack[1] == _triad ]]; then
  _triad "$@"
else
  compdef _triad ${names}
fi
`;
}

function placeCase(model: CommandModel): string {
  const flags = model.flags.map(flagSpec);
  if (model.commands.length === 0) {
    const positionals = model.positionals.map(positionalSpec);
    const specs = lines([...flags, ...positionals]);
    return `    (${quote(model.path)})\n      _arguments -s -S ${specs} ;;`;
  }
  const commands = model.commands.map((command) =>
    quote(`${command.name.replaceAll(":", "\\:")}:${command.summary}`),
  );
  return `    (${quote(model.path)})
      commands=(${commands.join(" ")})
      if [[ $words[CURRENT] == -* ]]; then
        _arguments -s -S ${lines(flags)}
      else
        _describe -t commands command commands
      fi ;;`;
}

function lines(specs: readonly string[]): string {
  return specs.map((spec) => `\\\n        ${spec}`).join(" ");
}

function flagSpec(flag: FlagModel): string {
  const description = `[${escapeSpec(flag.description)}]`;
  const value =
    flag.valueLabel === undefined ? "" : `:${escapeSpec(flag.valueLabel)}:${action(flag)}`;
  const suffix = flag.valueLabel === undefined ? "" : "=";
  const [only] = flag.spellings;
  if (flag.spellings.length === 1 && only !== undefined) {
    return quote(`${flag.repeatable ? "*" : ""}${only}${suffix}${description}${value}`);
  }
  const excluded = flag.repeatable ? "*" : `(${flag.spellings.join(" ")})`;
  const spelled = flag.spellings.map((spelling) =>
    spelling.startsWith("--") ? spelling + suffix : spelling + (suffix === "" ? "" : "+"),
  );
  return `${quote(excluded)}{${spelled.join(",")}}${quote(description + value)}`;
}

function positionalSpec(positional: PositionalModel, index: number): string {
  const place = positional.repeatable ? "*" : `${index + 1}`;
  return quote(`${place}:${escapeSpec(positional.label)}:${action(positional)}`);
}

function action(value: {
  readonly choices: readonly string[];
  readonly completes: string;
}): string {
  if (value.choices.length > 0) {
    return `(${value.choices.join(" ")})`;
  }
  return value.completes === "path" ? "_files" : value.completes === "folder" ? "_files -/" : " ";
}

function escapeSpec(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
