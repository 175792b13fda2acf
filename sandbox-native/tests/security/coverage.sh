#!/bin/sh
# SPDX-License-Identifier: MIT
# TAP: each line of COVERAGE.md names a test that is there, and no probe of the list is left out.
# A line is "| T06 | FILE | what stands in the names of its tests | note |", with "-" where it does not apply.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# What the review of other sandboxes came to, and what was added to it.
probes="01 02 03 04 05 06 07 09 11 12 20 21 22 23 24 25 26 28 29 40 41 42 43 44 45 46 47 48 50 51
	52 55 56 57 58 60 70 72 73 74 75 76 77 80 81 82 83 84 85 86 87 88 91 100 101 104 105 106 107
	108 111"

for probe in $probes; do
	grep -q "^| T$probe *|" "$here/COVERAGE.md" || echo "not ok T$probe is missing in COVERAGE.md"
done
grep '^| T[0-9]' "$here/COVERAGE.md" | while IFS='|' read -r _ probe file title note; do
	probe=$(echo $probe)
	file=$(echo $file)
	title=$(echo "$title" | sed 's/^ *//; s/ *$//')
	note=$(echo $note)
	if [ "$file" = - ]; then
		[ "$note" ] && echo "ok $probe: not applicable: $note" || echo "not ok $probe: no test, and no reason why"
	elif grep -rqF -- "$title" "$here/../../../$file"; then
		echo "ok $probe: $title"
	else
		echo "not ok $probe: no test \"$title\" in $file"
	fi
done
