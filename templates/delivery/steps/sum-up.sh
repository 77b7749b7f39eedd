# reports/report-<environment>/report.json becomes a line each; an environment without one could not be planned.
set -euo pipefail
changed=
{
  echo "| environment | add | change | destroy | tiers |"
  echo "|---|--:|--:|--:|---|"
  for name in $NAMES; do
    report=reports/report-$name/report.json
    if [[ ! -f $report ]]; then
      changed=yes
      echo "| $name | | | | **not planned**: see the [run]($RUN) |"
      continue
    fi
    jq --raw-output --arg name "$name" '.tiers | to_entries
      | def total(key): map(.value[key]) | add // 0;
        map(select(.value.add + .value.change + .value.destroy > 0)) as $changing
      | "| \($name) | \(total("add")) | \(total("change")) | \(total("destroy")) | \(
          [$changing[] | .key + if .value.forecast then " (forecast)" else "" end] | join(", "))"
        + if $changing == [] then "no changes |" else " |" end' "$report"
    jq --exit-status '[.tiers[] | .add + .change + .destroy] | add // 0 | . == 0' "$report" >/dev/null || changed=yes
  done
} >table.md
echo "changed=$changed" >>"$GITHUB_OUTPUT"
cat table.md >>"$GITHUB_STEP_SUMMARY"
