/**
 * The activate scripts that an environment brings, so that it serves as any other without blast.
 * The variables that keep the old values have the names that other tools give them.
 */
import {
  cmdValue,
  cshQuoted,
  fishQuoted,
  nuQuoted,
  posixQuoted,
  powershellQuoted,
} from "./quote.ts";

/** What the scripts are about. */
export interface ActivateFacts {
  /** The environment's folder; absolute. */
  readonly folder: string;
  /** What the prompt shows in parentheses. */
  readonly prompt: string;
  /** `bin` or `Scripts`. */
  readonly scripts: string;
}

/** The scripts by file name. */
export function activateScripts(facts: ActivateFacts): [name: string, text: string][] {
  return [
    ["activate", posixScript(facts)],
    ["activate.fish", fishScript(facts)],
    ["activate.csh", cshScript(facts)],
    ["activate.nu", nuScript(facts)],
    ["Activate.ps1", powershellScript(facts)],
    ["activate.bat", cmdScript(facts)],
    ["deactivate.bat", CMD_LEAVE],
  ];
}

function posixScript({ folder, prompt, scripts }: ActivateFacts): string {
  return `# For bash, zsh and other POSIX shells: to be read by ". activate", not to be run.

deactivate () {
    if [ -n "\${_OLD_VIRTUAL_PATH+x}" ]; then
        PATH="$_OLD_VIRTUAL_PATH"
        export PATH
        unset _OLD_VIRTUAL_PATH
    fi
    if [ -n "\${_OLD_VIRTUAL_PYTHONHOME+x}" ]; then
        PYTHONHOME="$_OLD_VIRTUAL_PYTHONHOME"
        export PYTHONHOME
        unset _OLD_VIRTUAL_PYTHONHOME
    fi
    if [ -n "\${_OLD_VIRTUAL_PS1+x}" ]; then
        PS1="$_OLD_VIRTUAL_PS1"
        unset _OLD_VIRTUAL_PS1
    fi
    hash -r 2>/dev/null || true
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    if [ "\${1-}" != nondestructive ]; then
        unset -f deactivate
    fi
}

deactivate nondestructive

VIRTUAL_ENV=${posixQuoted(folder)}
VIRTUAL_ENV_PROMPT=${posixQuoted(prompt)}
export VIRTUAL_ENV VIRTUAL_ENV_PROMPT
_OLD_VIRTUAL_PATH="\${PATH-}"
PATH="$VIRTUAL_ENV/${scripts}:\${PATH-}"
export PATH
if [ -n "\${PYTHONHOME+x}" ]; then
    _OLD_VIRTUAL_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi
if [ -z "\${VIRTUAL_ENV_DISABLE_PROMPT-}" ]; then
    _OLD_VIRTUAL_PS1="\${PS1-}"
    PS1=${posixQuoted(`(${promptText(prompt)}) `)}"\${PS1-}"
fi
hash -r 2>/dev/null || true
`;
}

/** Shells look for commands in their prompts, and bash runs them: nothing of that may be in it. */
export function promptText(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  return name.replace(/[$`\\%!"'(){}\u0000-\u001f\u007f]/g, "_");
}

function fishScript({ folder, prompt, scripts }: ActivateFacts): string {
  return `# For fish: to be read by "source activate.fish".

function deactivate -d "Leave the environment"
    if set -q _OLD_VIRTUAL_PATH
        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if set -q _OLD_FISH_PROMPT_OVERRIDE
        set -e _OLD_FISH_PROMPT_OVERRIDE
        functions -e _end_with
        if functions -q _old_fish_prompt
            functions -e fish_prompt
            functions -c _old_fish_prompt fish_prompt
            functions -e _old_fish_prompt
        end
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end

deactivate nondestructive

set -gx VIRTUAL_ENV ${fishQuoted(folder)}
set -gx VIRTUAL_ENV_PROMPT ${fishQuoted(prompt)}
set -g _OLD_VIRTUAL_PATH $PATH
set -gx PATH "$VIRTUAL_ENV/${scripts}" $PATH
if set -q PYTHONHOME
    set -g _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end
if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"
    functions -q fish_prompt; and functions -c fish_prompt _old_fish_prompt
    set -g _OLD_FISH_PROMPT_OVERRIDE "$VIRTUAL_ENV"
    function _end_with
        return $argv[1]
    end
    function fish_prompt
        # The prompt may show how the last command has ended.
        set -l last_status $status
        printf '(%s) ' "$VIRTUAL_ENV_PROMPT"
        if functions -q _old_fish_prompt
            _end_with $last_status
            _old_fish_prompt
        end
    end
end
`;
}

function cshScript({ folder, prompt, scripts }: ActivateFacts): string {
  const leave = [
    'test $?_OLD_VIRTUAL_PATH != 0 && setenv PATH "$_OLD_VIRTUAL_PATH:q"',
    "unset _OLD_VIRTUAL_PATH",
    "rehash",
    'test $?_OLD_VIRTUAL_PROMPT != 0 && set prompt="$_OLD_VIRTUAL_PROMPT:q"',
    "unset _OLD_VIRTUAL_PROMPT",
    "unsetenv VIRTUAL_ENV",
    "unsetenv VIRTUAL_ENV_PROMPT",
    'test "\\!:*" != "nondestructive" && unalias deactivate',
  ].join("; ");
  return `# For csh and tcsh: to be read by "source activate.csh".

alias deactivate '${leave}'
deactivate nondestructive

setenv VIRTUAL_ENV ${cshQuoted(folder)}
setenv VIRTUAL_ENV_PROMPT ${cshQuoted(prompt)}
set _OLD_VIRTUAL_PATH="$PATH:q"
setenv PATH "$VIRTUAL_ENV:q/${scripts}:$PATH:q"
if (! "$?VIRTUAL_ENV_DISABLE_PROMPT") then
    if ( "$?prompt" ) then
        set _OLD_VIRTUAL_PROMPT="$prompt:q"
        set prompt = ${cshQuoted(`(${promptText(prompt)}) `)}"$prompt:q"
    endif
endif
rehash
`;
}

function nuScript({ folder, prompt, scripts }: ActivateFacts): string {
  return `# For nushell: "overlay use activate.nu", and "deactivate" to leave.

export-env {
    let folder = ${nuQuoted(folder)}
    let name = ${nuQuoted(prompt)}
    let key = (if "Path" in $env { "Path" } else { "PATH" })
    let old = ($env | get $key)
    let parts = (if ($old | describe) == "string" { $old | split row (char esep) } else { $old })
    load-env {
        $key: ($parts | prepend ($folder | path join "${scripts}"))
        VIRTUAL_ENV: $folder
        VIRTUAL_ENV_PROMPT: $name
    }
    hide-env -i PYTHONHOME
    let bare = ($env.VIRTUAL_ENV_DISABLE_PROMPT? | default "" | into string)
    if $bare == "" and "PROMPT_COMMAND" in $env {
        let old_prompt = $env.PROMPT_COMMAND
        $env.PROMPT_COMMAND = {||
            let is_code = (($old_prompt | describe) == "closure")
            let rest = (if $is_code { do $old_prompt } else { $old_prompt })
            $"\\(($name)\\) ($rest)"
        }
    }
}

export alias deactivate = overlay hide activate
`;
}

function powershellScript({ folder, prompt, scripts }: ActivateFacts): string {
  return `# For PowerShell: to be read by ". Activate.ps1".

function global:deactivate ([switch]$NonDestructive) {
    if (Test-Path variable:_OLD_VIRTUAL_PATH) {
        $env:PATH = $variable:_OLD_VIRTUAL_PATH
        Remove-Variable "_OLD_VIRTUAL_PATH" -Scope global
    }
    if (Test-Path variable:_OLD_VIRTUAL_PYTHONHOME) {
        $env:PYTHONHOME = $variable:_OLD_VIRTUAL_PYTHONHOME
        Remove-Variable "_OLD_VIRTUAL_PYTHONHOME" -Scope global
    }
    if (Test-Path function:_old_virtual_prompt) {
        $function:prompt = $function:_old_virtual_prompt
        Remove-Item function:\\_old_virtual_prompt
    }
    Remove-Item env:VIRTUAL_ENV, env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue
    if (!$NonDestructive) {
        Remove-Item function:deactivate
    }
}

deactivate -NonDestructive

$env:VIRTUAL_ENV = ${powershellQuoted(folder)}
$env:VIRTUAL_ENV_PROMPT = ${powershellQuoted(prompt)}
$global:_OLD_VIRTUAL_PATH = $env:PATH
$env:PATH = (Join-Path $env:VIRTUAL_ENV '${scripts}') + [IO.Path]::PathSeparator + $env:PATH
if (Test-Path env:PYTHONHOME) {
    $global:_OLD_VIRTUAL_PYTHONHOME = $env:PYTHONHOME
    Remove-Item env:PYTHONHOME
}
if (!$env:VIRTUAL_ENV_DISABLE_PROMPT) {
    function global:_old_virtual_prompt { "" }
    $function:_old_virtual_prompt = $function:prompt
    function global:prompt {
        Write-Host -NoNewline -ForegroundColor Green "($env:VIRTUAL_ENV_PROMPT) "
        _old_virtual_prompt
    }
}
`;
}

function cmdScript({ folder, prompt, scripts }: ActivateFacts): string {
  return `@echo off
if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
set "VIRTUAL_ENV=${cmdValue(folder)}"
set "VIRTUAL_ENV_PROMPT=${cmdValue(prompt)}"
set "_OLD_VIRTUAL_PATH=%PATH%"
set "PATH=%VIRTUAL_ENV%\\${scripts};%PATH%"
if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
set PYTHONHOME=
if defined VIRTUAL_ENV_DISABLE_PROMPT goto end
if not defined PROMPT set "PROMPT=$P$G"
set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
set "PROMPT=(${cmdValue(promptText(prompt))}) %PROMPT%"
:end
`.replaceAll("\n", "\r\n");
}

const CMD_LEAVE = `@echo off
if defined _OLD_VIRTUAL_PATH set "PATH=%_OLD_VIRTUAL_PATH%"
if defined _OLD_VIRTUAL_PROMPT set "PROMPT=%_OLD_VIRTUAL_PROMPT%"
if defined _OLD_VIRTUAL_PYTHONHOME set "PYTHONHOME=%_OLD_VIRTUAL_PYTHONHOME%"
set _OLD_VIRTUAL_PATH=
set _OLD_VIRTUAL_PROMPT=
set _OLD_VIRTUAL_PYTHONHOME=
set VIRTUAL_ENV=
set VIRTUAL_ENV_PROMPT=
`.replaceAll("\n", "\r\n");
