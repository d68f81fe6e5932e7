#!/bin/sh
# Installs triad (and blit, its other names) for one user:
#   curl -fsSL "$TRIAD_BASE/install.sh" | TRIAD_BASE="$TRIAD_BASE" sh
# Everything is in functions and main is called on the last line, so that a script that was cut
# off on its way does nothing at all.
set -eu

usage() {
  cat <<'EOF'
Install triad for this user

Usage: TRIAD_BASE=<URL or folder> install.sh [--prefix DIR] [--completions yes|no]

  --prefix DIR          install into DIR/bin (default: ~/.local, so ~/.local/bin)
  --completions yes|no  write shell completions (default: ask on a terminal, else no)
  -h, --help            show this

TRIAD_BASE holds <platform>/triad and <platform>/triad.sha256, as `bun run build.ts --all` makes
them in dist/. No file outside DIR is changed, but for the completions when you say yes.

Examples:
  curl -fsSL "$TRIAD_BASE/install.sh" | TRIAD_BASE="$TRIAD_BASE" sh
  TRIAD_BASE=./dist sh bin/install.sh --prefix /usr/local --completions no
EOF
}

say() { printf '%s\n' "$*" >&2; }

# fail CODE MESSAGE [HINT]
fail() {
  say "error: $2"
  [ $# -lt 3 ] || say "hint: $3"
  exit "$1"
}

has() { command -v "$1" >/dev/null 2>&1; }

detect_platform() {
  os=$(uname -s)
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail 1 "Cannot install on \"$os $machine\": no build for this processor" \
      "there are builds for x86-64 and 64-bit ARM" ;;
  esac
  case $os in
    Linux) printf 'linux-%s%s\n' "$arch" "$(libc_suffix)" ;;
    Darwin)
      # A shell under Rosetta calls an ARM machine x86_64.
      [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" != 1 ] || arch=arm64
      printf 'darwin-%s\n' "$arch" ;;
    *) fail 1 "Cannot install on \"$os $machine\": no build for this system" \
      "there are builds for Linux and macOS; Windows has windows-x64/triad.exe to take by hand" ;;
  esac
}

libc_suffix() {
  # musl's ldd prints its name and exits with 1; glibc's prints its own.
  case $(ldd --version 2>&1 || true) in
    *musl*) printf -- '-musl' ;;
    *GLIBC* | *glibc* | *"GNU libc"*) ;;
    *) for loader in /lib/ld-musl-*; do [ ! -e "$loader" ] || { printf -- '-musl'; break; }; done ;;
  esac
}

# fetch RELATIVE FILE: from the base, be it a folder or a URL.
fetch() {
  case $base in
    http://* | https://*) fetch_url "$base/$1" "$2" ;;
    *)
      [ -r "$base/$1" ] || fail 1 "Cannot read \"$base/$1\": no such file" \
        "TRIAD_BASE must hold <platform>/triad; does it have a build for \"$platform\"?"
      cp -- "$base/$1" "$2" || fail 1 "Cannot copy \"$base/$1\" to \"$2\"" \
        "is there space on that disk?" ;;
  esac
}

fetch_url() {
  if has curl; then
    curl -fsSL --retry 2 -o "$2" "$1" && return
  elif has wget; then
    # GNU's wget tries twenty times by default; busybox's has no such option and tries once.
    case $(wget --version 2>&1 || true) in
      *GNU*) wget -q --tries=3 -O "$2" "$1" && return ;;
      *) wget -q -O "$2" "$1" && return ;;
    esac
  else
    fail 1 "Cannot download \"$1\": neither curl nor wget is installed" \
      "install one of them, or set TRIAD_BASE to a local folder"
  fi
  fail 1 "Cannot download \"$1\"" \
    "check TRIAD_BASE, the network, and that it has a build for \"$platform\""
}

sha256_of() {
  if has sha256sum; then
    sha256sum <"$1" | cut -d' ' -f1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d' ' -f1
  elif has openssl; then
    openssl dgst -sha256 <"$1" | sed 's/.*= *//'
  else
    fail 1 "Cannot check the download: sha256sum, shasum and openssl are all absent" \
      "install coreutils or openssl"
  fi
}

verify() {
  wanted=$(cut -d' ' -f1 <"$2" | tr 'A-F' 'a-f')
  case $wanted in
    *[!0-9a-f]* | '') wanted='' ;;
  esac
  [ ${#wanted} -eq 64 ] || fail 1 "Cannot check the download: \"triad.sha256\" holds no SHA-256" \
    "is TRIAD_BASE right?"
  actual=$(sha256_of "$1")
  [ "$actual" = "$wanted" ] || fail 1 \
    "Cannot trust the download: SHA-256 is \"$actual\", must be \"$wanted\"" \
    "nothing was installed; try again, and if it stays so tell whoever runs TRIAD_BASE"
}

install_binary() {
  mkdir -p -- "$bin_dir" 2>/dev/null || fail 1 "Cannot make the folder \"$bin_dir\"" \
    "choose another place with --prefix DIR, or run this with the rights to write there"
  # Beside the target: the last step is a rename, and a rename is all or nothing.
  scratch=$(mktemp -d "$bin_dir/.triad-install-XXXXXX" 2>/dev/null) ||
    fail 1 "Cannot write to \"$bin_dir\"" \
      "choose another place with --prefix DIR, or run this with the rights to write there"
  trap 'rm -rf -- "$scratch"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  say "Fetching triad for $platform from $base"
  fetch "$platform/triad.sha256" "$scratch/triad.sha256"
  fetch "$platform/triad" "$scratch/triad"
  verify "$scratch/triad" "$scratch/triad.sha256"
  chmod 755 "$scratch/triad"
  version=$("$scratch/triad" --version) || fail 1 \
    "Cannot run the build for \"$platform\" on this machine" "nothing was installed$(run_hint)"
  mv -f -- "$scratch/triad" "$bin_dir/triad"
  "$bin_dir/triad" links "$bin_dir" >/dev/null ||
    fail 1 "Cannot make the symlinks in \"$bin_dir\"" "triad itself is installed"
  say "Installed $(printf '%s' "$version" | head -n 1) into $bin_dir"
}

run_hint() {
  # Bun's musl builds load the C++ library of the system.
  case $platform in *-musl) printf '; on Alpine: apk add libstdc++' ;; esac
}

# Asks on the terminal itself: under curl | sh, stdin is this script.
wants_completions() {
  case $completions in
    yes) return 0 ;;
    no) return 1 ;;
  esac
  [ -t 2 ] && (: </dev/tty) 2>/dev/null || return 1
  printf 'Write completions for bash, zsh and fish into your home folder? [y/N] ' >&2
  IFS= read -r answer </dev/tty || return 1
  case $answer in
    [yY] | [yY][eE][sS]) return 0 ;;
    *) return 1 ;;
  esac
}

# Into the folders that bash-completion and fish read by themselves, one file for each name that
# they may look up. zsh has no such folder in a home: there we only say which line to add, for rc
# files are the user's own.
install_completions() {
  data=${XDG_DATA_HOME:-$HOME/.local/share}
  config=${XDG_CONFIG_HOME:-$HOME/.config}
  for name in $names; do
    if has bash; then write_completion bash "$data/bash-completion/completions" "$name"; fi
    if has fish; then write_completion fish "$config/fish/completions" "$name.fish"; fi
  done
  if has zsh; then
    write_completion zsh "$data/zsh/site-functions" _triad
    say "For zsh, add this line to .zshrc above compinit:"
    say "  fpath=(\"$data/zsh/site-functions\" \$fpath)"
  fi
}

# write_completion SHELL FOLDER FILE
write_completion() {
  mkdir -p -- "$2" && "$bin_dir/triad" completions "$1" >"$2/.$3.new" &&
    mv -f -- "$2/.$3.new" "$2/$3" && say "Wrote $2/$3" && return
  rm -f -- "$2/.$3.new"
  fail 1 "Cannot write the $1 completions into \"$2\"" "triad itself is installed"
}

check_path() {
  case ":$PATH:" in
    *":$bin_dir:"*) ;;
    *) say "hint: $bin_dir is not in PATH; add this line to your shell's rc file:"
      say "  export PATH=\"$bin_dir:\$PATH\"" ;;
  esac
}

main() {
  prefix=''
  completions=ask
  # The names that `triad completions` knows; names whose tools are not built yet are left out.
  names='triad blast blit blit-utils blitd'
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --prefix | --completions)
        [ $# -ge 2 ] || fail 2 "Cannot use \"$1\": it needs a value" "see --help"
        case $1 in --prefix) prefix=$2 ;; *) completions=$2 ;; esac
        shift ;;
      --prefix=*) prefix=${1#*=} ;;
      --completions=*) completions=${1#*=} ;;
      *) fail 2 "Cannot use \"$1\": no such flag" "see --help" ;;
    esac
    shift
  done
  case $completions in
    ask | yes | no) ;;
    *) fail 2 "Cannot use \"--completions $completions\": it is yes or no" ;;
  esac
  base=${TRIAD_BASE:-}
  base=${base%/}
  [ -n "$base" ] || fail 2 "Cannot tell where to install from: TRIAD_BASE is not set" \
    "set it to the base URL, or to a local folder made by \"bun run build.ts --all\""
  if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail 2 "Cannot tell where to install to: HOME is not set" \
      "give --prefix DIR"
    prefix=$HOME/.local
  fi
  case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
  esac
  bin_dir=${prefix%/}/bin
  platform=$(detect_platform)
  install_binary
  if wants_completions; then install_completions; fi
  check_path
}

main "$@"
