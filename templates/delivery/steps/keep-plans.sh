# The plans that change something, with what terraform needs to apply them elsewhere. A forecast leaves no plan: its tier
# is planned by the next run, when what it needs exists.
set -euo pipefail
.venv/bin/python -m review.pipeline "cdktf.out/$ENV" "row-$ENV.md" >outputs
cat outputs
cat outputs >>"$GITHUB_OUTPUT"
{
  echo "| environment | add | change | destroy | tiers |"
  echo "|---|--:|--:|--:|---|"
  cat "row-$ENV.md"
} >>"$GITHUB_STEP_SUMMARY"
tiers=$(sed -n 's/^tiers=//p' outputs)
[[ $tiers ]] || exit 0
files=("cdktf.out/$ENV/report.json" "cdktf.out/$ENV/target")
for tier in $tiers; do
  files+=("cdktf.out/$ENV/stacks/$tier"/plan.*)
  lock="cdktf.out/$ENV/stacks/$tier/.terraform.lock.hcl"
  [[ ! -e $lock ]] || files+=("$lock")
done
tar --create --file=plans.tar "${files[@]}"
sum=$(sha256sum plans.tar)
echo "sum=${sum%% *}" >>"$GITHUB_OUTPUT"
