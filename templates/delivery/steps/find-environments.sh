set -euo pipefail
make setup
list=$(make --silent environments)
echo "$list"
echo "list=$list" >>"$GITHUB_OUTPUT"
