set -euo pipefail
list=$(make --silent environments | tail -n 1)
echo "$list"
echo "list=$list" >>"$GITHUB_OUTPUT"
make --silent workflows
if [[ $(git status --porcelain -- .github/workflows) ]]; then
  git status --short -- .github/workflows
  echo "::error::the workflows do not fit the specs: run make workflows, and commit what it writes"
  exit 1
fi
