#!/usr/bin/env bash
# Sets OVERHYPED up on Debian or Ubuntu. `./install.sh --help` says how.
set -euo pipefail
cd "$(dirname "$0")"
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}" # services and cron may come without
export HOME

BUN_VERSION=$(sed -n 's/^ *"bun": *"\([^"]*\)".*/\1/p' package.json)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/overhyped
PREFIX=/usr/local
MODE=install
# What runs VMs, what builds images, and what the tests look at the results with.
RUN_PACKAGES=(qemu-system-x86 passt iproute2 nftables)
IMAGE_PACKAGES=(mmdebstrap erofs-utils squashfs-tools uidmap debian-archive-keyring ca-certificates)
CHECK_PACKAGES=(chromium-headless-shell cpio busybox-static systemd tmux)

usage() {
  cat <<EOF
Usage: ./install.sh [--try | --check | --uninstall] [--prefix DIR]

  (nothing)      install what is missing, build, put hype into PREFIX/bin; over an older version: restart its service, VMs go on
  --try          the same without touching PREFIX; then boot a browser in its own VM and show what it saw
  --check        the same set-up, then every test; the last line reads "N passed, N failed"
  --uninstall    remove what this script put into PREFIX (VMs, images and keys in ~/.overhyped stay)
  --prefix DIR   where to install (default /usr/local)

System packages it may add: ${RUN_PACKAGES[*]} ${IMAGE_PACKAGES[*]}
With --check also: ${CHECK_PACKAGES[*]}
EOF
}

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; else bold= plain=; fi
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --try) MODE=try ;;
    --check) MODE=check ;;
    --uninstall) MODE=uninstall ;;
    --prefix) PREFIX=${2:-}; [ -n "$PREFIX" ] || die "--prefix needs a directory"; shift ;;
    --prefix=*) PREFIX=${1#*=} ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; printf '\n' >&2; echo "install.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# --- everything is looked at before anything is changed ---------------------------------------------------------------------
missing=()
look() {
  [ "$(uname -s)" = Linux ] || die "Linux is needed; this is $(uname -s)"
  [ "$(uname -m)" = x86_64 ] || die "x86_64 is needed; this is $(uname -m)"
  command -v apt-get >/dev/null || die "Debian or Ubuntu is needed (no apt-get here). Elsewhere install by hand: QEMU >= 7.2, passt, erofs-utils, mmdebstrap, busybox (static), Bun $BUN_VERSION; then: bun install && bun run build"
  [ -n "$BUN_VERSION" ] || die "package.json names no Bun version: is this a whole checkout?"
  local wanted=("${RUN_PACKAGES[@]}" "${IMAGE_PACKAGES[@]}") package
  [ "$MODE" = check ] && wanted+=("${CHECK_PACKAGES[@]}")
  for package in "${wanted[@]}"; do installed "$package" || missing+=("$package"); done
  find_bun || command -v npm >/dev/null || missing+=(npm)
  if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and need root to install: ${missing[*]}. Run as root, or: apt-get install ${missing[*]}"
  fi
  local free_mb
  mkdir -p "$CACHE"
  free_mb=$(df -Pm "$CACHE" | awk 'NR==2 {print $4}')
  [ "$free_mb" -ge 4000 ] || die "4 GB of disk are needed in $CACHE; $free_mb MB are free"
}

BUN=
find_bun() {
  local candidate
  for candidate in "$(command -v bun || true)" "$CACHE/bun/node_modules/.bin/bun" "$CACHE/bun/node_modules/@oven/bun-linux-x64/bin/bun"; do
    if [ -x "$candidate" ] && [ "$("$candidate" --version 2>/dev/null)" = "$BUN_VERSION" ]; then BUN=$candidate; return 0; fi
  done
  return 1
}

# --- changes ----------------------------------------------------------------------------------------------------------------
add_packages() {
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  local log=$CACHE/apt.log
  if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq && add_by_apt; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "the packages could not be installed; the whole output is in $log"
  fi
}

# Ubuntu has no chromium-headless-shell: the tests then look for another Chromium and say so when there is none.
add_by_apt() {
  local package wanted=()
  for package in "${missing[@]}"; do
    [ "$package" = chromium-headless-shell ] && ! apt-cache show "$package" >/dev/null 2>&1 && continue
    wanted+=("$package")
  done
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"
}

add_bun() {
  find_bun && return 0
  say "Fetching Bun $BUN_VERSION"
  npm install --silent --no-fund --no-audit --no-save --prefix "$CACHE/bun" "bun@$BUN_VERSION" >&2 || die "npm could not fetch bun@$BUN_VERSION"
  find_bun || die "Bun $BUN_VERSION does not start on this machine"
}

build() {
  say "Building hype"
  PATH="$(dirname "$BUN"):$PATH"
  export PATH
  "$BUN" install --frozen-lockfile --silent >&2
  "$BUN" run --silent build >&2
}

put() {
  say "Installing into $PREFIX"
  local with=()
  [ -w "$PREFIX" ] || [ "$(id -u)" = 0 ] || with=(sudo)
  "${with[@]}" install -D -m 755 dist/hype "$PREFIX/bin/.hype.new"
  "${with[@]}" install -D -m 755 dist/hype-agent "$PREFIX/lib/overhyped/hype-agent"
  # Renamed over: a running server keeps its old file, a half-copied program is never seen.
  "${with[@]}" mv -f "$PREFIX/bin/.hype.new" "$PREFIX/bin/hype"
}

# The old server lets go of its VMs, the new one takes them up; the state is migrated at its start, with a copy beside it.
restart_service() {
  command -v systemctl >/dev/null && systemctl is-active --quiet overhyped.service || return 0
  say "Restarting overhyped.service; running VMs go on"
  as_root "$PREFIX/bin/hype" setup >&2 || die "the host's set-up could not be brought up to date; the old server still runs"
  as_root systemctl restart overhyped.service || die "the new server did not start: journalctl -u overhyped.service says why. VMs run on; a copy of the state from before a migration lies beside it (*.bak)"
}

remove() {
  [ ! -e /etc/overhyped/setup.json ] || die "this host was set up by hype: sudo hype setup --uninstall first"
  local with=()
  [ -w "$PREFIX/bin" ] || [ "$(id -u)" = 0 ] || with=(sudo)
  "${with[@]}" rm -f "$PREFIX/bin/hype" "$PREFIX/lib/overhyped/hype-agent"
  "${with[@]}" rmdir "$PREFIX/lib/overhyped" 2>/dev/null || true
  say "Removed from $PREFIX. Your VMs, images and keys stay in ${OVERHYPED_HOME:-$HOME/.overhyped}; system packages stay too."
}

if [ "$MODE" = uninstall ]; then remove; exit 0; fi
look
add_packages
add_bun
build
case $MODE in
  try) exec dist/hype try ;;
  check) exec "$BUN" run --silent check ;;
  install)
    put
    restart_service
    say "Ready. On a server: sudo $PREFIX/bin/hype setup (--dry-run shows every change), then sudo hype image build. To try it as yourself: hype image build, hype serve, and in another terminal hype vms create demo"
    ;;
esac
