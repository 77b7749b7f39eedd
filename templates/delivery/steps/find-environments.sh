set -euo pipefail
make --silent environments >found
grep -E '^(all|apart|wave_[0-9]+)=' found >matrices
cat matrices
cat matrices >>"$GITHUB_OUTPUT"
rm found matrices
make --silent workflows
if [[ $(git status --porcelain -- .github/workflows) ]]; then
  git status --short -- .github/workflows
  echo "::error::the workflows do not match the specs: run make workflows, and commit the files that it writes"
  exit 1
fi
