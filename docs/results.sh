#!/usr/bin/env bash
# Makes what the documents show of the benchmark, all from one run, which is kept in docs/results.json: docs/results.md, the tables in README.md, and with
# Chromium the pictures docs/results.png and docs/curves.png. The page of which these show parts goes to results.html, which is not kept in the repository.
#
#   docs/results.sh               measures everything, in about seven minutes; leave the machine alone meanwhile
#   docs/results.sh FILE.json     takes what has been measured before; docs/results.json, say, when only words have changed
set -euo pipefail
from=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$from" ]; then
	from=$work/results.json # a run that is broken off leaves the last one's results
	go run ./bench -growth -ablate -profile=summary -o "$from"
fi
go run ./bench -from "$from" -o docs/results.json
go run ./bench -from docs/results.json -o docs/results.md,results.html,README.md

for browser in "${USERRT_BROWSER:-chromium}" chromium-browser google-chrome; do
	! command -v "$browser" >/dev/null || break
done
if ! command -v "$browser" >/dev/null; then
	echo "docs/results.sh: no Chromium (or \$USERRT_BROWSER): docs/results.png and docs/curves.png stay as they were" >&2
	[ "$from" = "$PWD/docs/results.json" ] # of the same run they still are right, but for words
	exit
fi

# picture FILE STYLE takes a picture of the page with some more style, which leaves out parts of it, as high as that then is.
picture() {
	sed "s|</body>|<style>$2</style><script>document.title = document.documentElement.scrollHeight</script></body>|" results.html >"$work/page.html"
	height=$(browse 100 --dump-dom | sed -n 's|.*<title>\([0-9]*\)</title>.*|\1|p' | head -n 1)
	browse "$height" --screenshot="$PWD/docs/$1"
}

# browse HEIGHT FLAG opens what the picture is taken of.
browse() {
	"$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$work/profile" --hide-scrollbars --blink-settings=preferredColorScheme=1 --force-prefers-reduced-motion \
		--window-size="1200,$1" "$2" "file://$work/page.html"
}

picture results.png 'main > section[id] ~ section[id], .scroll, footer { display: none }'
picture curves.png 'header, nav, fieldset, footer, main > :not(#growth, #memory) { display: none } main > section { margin-top: 0 }'
