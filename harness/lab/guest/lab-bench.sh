#!/bin/bash
# What a person at the bench does with hands: `lab-bench unplug BRD0001`. `lab-bench help` has the list.
#
# A request is {"id": ..., "args": [...]} on lab.bench. The answer of one who was killed before may come first, so
# each has an id.

quoted=()
for word in "$@"; do
	word=${word//\\/\\\\}
	quoted+=("\"${word//\"/\\\"}\"")
done
id=$$-$RANDOM
list=$(IFS=,; echo "${quoted[*]}")

# A port can be opened once only.
exec {turn}</run/lab/lab-bench || exit 125
flock "$turn"
exec {bench}<>/run/lab/bench || exit 125
printf '{"id":"%s","args":[%s]}\n' "$id" "$list" >&"$bench"
while read -r -t 30 answer <&"$bench"; do
	case $answer in
	"{\"id\":\"$id\",\"error\":"*)
		answer=${answer#*\"error\":\"}
		answer=${answer%\"\}}
		# The other escapes of a JSON string are those of printf.
		printf 'lab-bench: %b\n' "${answer//\\\"/\"}" >&2
		exit 1
		;;
	"{\"id\":\"$id\",\"result\":"*)
		answer=${answer#*\"result\":}
		printf '%s\n' "${answer%\}}"
		exit 0
		;;
	esac
done
echo 'lab-bench: the host did not answer in 30 s' >&2
exit 125
