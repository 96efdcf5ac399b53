#!/usr/bin/env bash
# Makes what the documents show of the benchmark, all from one run: docs/results.md, and docs/results.png with Chromium. The numbers
# themselves go to results.json and the page to results.html, which are not kept in the repository.
#
#   docs/results.sh               measures everything; leave the machine alone meanwhile
#   docs/results.sh FILE.json     takes what has been measured before
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
	go run ./bench -growth -ablate -o results.json,docs/results.md,results.html
else
	go run ./bench -from "$1" -o docs/results.md,results.html
fi

for browser in "${USERRT_BROWSER:-chromium}" chromium-browser google-chrome; do
	! command -v "$browser" >/dev/null || break
done
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
"$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync \
	--user-data-dir="$profile" --hide-scrollbars --blink-settings=preferredColorScheme=1 --window-size=1200,1300 \
	--screenshot="$PWD/docs/results.png" "file://$PWD/results.html"
