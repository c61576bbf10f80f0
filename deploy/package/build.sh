#!/bin/sh
# Builds dist/traboule_VERSION_all.deb of the present commit: `make deb`, which fetches nfpm. The tag names the version, or else the commit.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
nfpm=${1:?usage: deploy/package/build.sh NFPM}
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
git archive HEAD -- . ':!tests' ':!.ci' | tar -x -C "$files"
commit=$(git rev-parse --short=12 HEAD)
tag=$(git describe --tags --exact-match HEAD 2>/dev/null || true)
# Debian's versions begin with a digit
VERSION=$(printf %s "${tag#v}")
VERSION=${VERSION:-0.$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d%H%M%S).$commit}
printf '%s\n' "$VERSION" >"$files/VERSION"
export VERSION FILES="$files"
mkdir -p dist
"$nfpm" package --config deploy/package/nfpm.yaml --packager deb --target "dist/traboule_${VERSION}_all.deb"
