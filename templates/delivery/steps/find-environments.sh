# Labels of CodeBuild's runners carry the run that asks for them.
set -euo pipefail
make setup
list=$(make --silent environments | jq --compact-output --arg run "-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT" \
  'map(.runner |= map(if startswith("codebuild-") then . + $run else . end))')
names=$(jq --raw-output 'map(.environment) | join(" ")' <<<"$list")
echo "environments: $names"
{
  echo "list=$list"
  echo "names=$names"
} >>"$GITHUB_OUTPUT"
