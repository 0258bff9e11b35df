# shellcheck shell=bash
# What the checks of this folder share: counting, and comparing what commands say. Source it.

passed=0
failed=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); printf 'FAILED  %s\n' "$@" >&2; }

equal() {  # equal WHAT WANT GOT
  if [[ $2 == "$3" ]]; then pass; else fail "$1" "  want: $2" "  got:  $3"; fi
}

works() {  # works WHAT COMMAND...: the command must succeed
  local what=$1 answer; shift
  if answer=$("$@" 2>&1); then pass; else fail "$what" "  got: $answer"; fi
}

refused() {  # refused WHAT TEXT COMMAND...: the command must fail, and its output contain TEXT
  local what=$1 text=$2 answer status=0; shift 2
  answer=$("$@" 2>&1) || status=$?
  if [[ $status != 0 && $answer == *"$text"* ]]; then pass; else fail "$what" "  want: $text" "  got:  $answer"; fi
}

report() {  # report NAME: the last line of a script; sets its exit code
  echo "$1: $passed passed, $failed failed"
  [[ $failed == 0 ]]
}
