# Plans of tiers that change, with what terraform needs to apply them elsewhere. A forecast leaves no plan: its tier is
# planned by the next run, when what it needs exists.
set -euo pipefail
report=cdktf.out/$ENV/report.json
jq --raw-output '"| tier | add | change | destroy |", "|---|--:|--:|--:|",
  (.tiers | to_entries[] | "| \(.key)\(if .value.forecast then " (forecast)" else "" end) | \(.value.add) | \(.value.change) | \(.value.destroy) |")' \
  "$report" >>"$GITHUB_STEP_SUMMARY"
tiers=$(jq --raw-output '[.tiers | to_entries[]
  | select(.value.forecast | not) | select(.value.add + .value.change + .value.destroy > 0) | .key] | join(" ")' "$report")
[[ $tiers ]] || exit 0
files=()
for tier in $tiers; do
  for file in plan.tfplan plan.json plan.config .terraform.lock.hcl; do
    files+=("cdktf.out/$ENV/stacks/$tier/$file")
  done
done
tar --create --file=plans.tar "${files[@]}"
sum=$(sha256sum plans.tar)
{
  echo "tiers=$tiers"
  echo "sum=${sum%% *}"
} >>"$GITHUB_OUTPUT"
