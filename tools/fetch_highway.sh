#!/usr/bin/env bash
# Fetches the source of Highway, which is compiled into the library, from Debian's source package.
# Takes a few seconds, once, without root; the result is kept.
#
#   SECONDLOOK_HIGHWAY_DIR   a source tree of Highway 1.0.3 or newer to use instead
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/.cache/highway
[ -n "${SECONDLOOK_HIGHWAY_DIR:-}" ] && exit 0
[ -f "$folder/hwy/highway.h" ] && exit 0

die() {
  echo "fetch_highway: $*; set SECONDLOOK_HIGHWAY_DIR to a source tree of Highway" >&2
  exit 1
}
command -v apt-get >/dev/null || die "there is no apt-get"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Uses the system's mirrors, also for sources, with separate package lists: the system is not changed.
mkdir -p "$work/lists/partial" "$work/parts" "$work/source"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ -f "$list" ] || continue
  sed -E 's/^deb /deb-src /; s/^Types: deb$/Types: deb-src/' "$list" >"$work/parts/$(basename "$list")"
done
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
Dir::State::lists "$work/lists";
APT::Sandbox::User "";
CONF
export APT_CONFIG=$work/apt.conf
apt-get update -qq </dev/null || die "apt-get could not read its mirrors"
(cd "$work/source" && apt-get source -qq --download-only highway </dev/null) ||
  die "apt-get has no source package 'highway'"
tar -xzf "$work"/source/highway_*.orig.tar.gz -C "$work/source" --strip-components=1
mkdir -p .cache
# A parallel build may have fetched it, too.
mv -T "$work/source" "$folder" 2>/dev/null || [ -f "$folder/hwy/highway.h" ]
echo "fetch_highway: $folder"
