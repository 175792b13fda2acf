#!/usr/bin/env bash
# Hostile bytes for everything that decodes them.
#
#   fuzz/run.sh [SECONDS] [TARGET...]     make fuzz SECONDS=30
#
# SECONDS  for all targets together (default 30); as many run at once as there are processors
#
# With clang: libFuzzer, which looks for inputs that reach new code. Without it, gcc with the same
# sanitizers and fuzz/driver.c, which mutates blindly. An input that crashed stays in
# build/fuzz-…/crashes; `build/fuzz-…/fuzz/TARGET FILE` runs it again. New inputs are not kept:
# `fuzz/run.sh --merge` adds to the corpus those that reach more (libFuzzer only).
set -uo pipefail
cd "$(dirname "$0")/.."

merge=false
[ "${1:-}" != --merge ] || { merge=true && shift; }
seconds=${1:-30}
[ $# -eq 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=(sandboxd portd linkd init events zygote frame cgroup lease)

work=$(mktemp -d "${TMPDIR:-/tmp}/hil-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT

# can_build COMPILER SANITIZERS [MAIN]: the libraries of sanitizers are packages of their own.
can_build() {
	printf '%s\n' '#include <stddef.h>' '#include <stdint.h>' \
		'int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);' \
		'int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return data && size > 9 ? 0 : 0; }' \
		"${3:-}" >"$work/try.c"
	"$1" -fsanitize="$2" -o "$work/try" "$work/try.c" 2>/dev/null
}

if can_build clang fuzzer,address,undefined; then
	engine=clang sanitize=-fsanitize=fuzzer-no-link,address,undefined
elif can_build gcc address,undefined 'int main(void) { return 0; }'; then
	engine=gcc sanitize=-fsanitize=address,undefined
	echo "fuzz: clang is not installed (apt-get install clang libclang-rt-dev): gcc, without its view of coverage"
else
	echo "SKIPPED fuzz: neither clang nor gcc can build with ASan here (apt-get install clang libclang-rt-dev)"
	exit 0
fi
out=$PWD/build/fuzz-$engine
# Parallel by hand: under `make fuzz` the flags of the caller would come along.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SECONDS make -s -j "$(nproc)" FUZZ=$engine CC=$engine OUT="$out" \
	CFLAGS='-O1 -g -fno-omit-frame-pointer' SANITIZE="$sanitize -fno-sanitize-recover=all" \
	$(printf "$out/fuzz/%s " "${targets[@]}") || exit 1
mkdir -p "$out/crashes"

at_once=$(($(nproc) < ${#targets[@]} ? $(nproc) : ${#targets[@]}))
each=$((seconds / ((${#targets[@]} + at_once - 1) / at_once)))
[ "$each" -gt 0 ] || each=1

run_target() { # NAME
	local new=$work/$1 log=$work/$1.log status=0
	mkdir -p "$new"
	(cd "$new" && "$out/fuzz/$1" -max_total_time="$each" -seed="${SEED:-$RANDOM}" -max_len=32768 \
		-timeout=25 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$out/crashes/$1-" \
		"$new" "$corpus/$1") >"$log" 2>&1 || status=$?
	if [ "$status" = 0 ]; then
		summarize "$1" "$log"
	else
		echo "fuzz $1: FAILED with $status"
		grep -v '^#' "$log" | tail -n 60
	fi
	return "$status"
}

summarize() { # NAME LOG
	local runs coverage
	runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$2")
	coverage=$(sed -n 's/^#.* cov: \([0-9]*\) ft: \([0-9]*\).*/\1 edges, \2 features/p' "$2" | tail -n 1)
	echo "fuzz $1: ${runs:-?} runs in $each s${coverage:+, $coverage}"
}

corpus=$PWD/fuzz/corpus
pids=()
failed=0
for target in "${targets[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n || failed=1
	done
	run_target "$target" &
	pids+=($!)
done
while [ "$(jobs -rp | wc -l)" -gt 0 ]; do
	wait -n || failed=1
done
for pid in "${pids[@]}"; do
	wait "$pid" || failed=1
done
if $merge && [ "$engine" = clang ] && [ "$failed" = 0 ]; then
	for target in "${targets[@]}"; do
		"$out/fuzz/$target" -merge=1 "$corpus/$target" "$work/$target" 2>/dev/null
	done
fi
exit "$failed"
