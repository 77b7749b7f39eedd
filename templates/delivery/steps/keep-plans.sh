# Plans with changes, and the files that terraform needs to apply them on another machine. The apply repeats a forecast
# once its inputs exist, and applies it only if it does no more than was shown.
set -euo pipefail
.venv/bin/python -m tierra.github.pipeline "cdktf.out/$ENV" "row-$ENV.md" >outputs
cat outputs
cat outputs >>"$GITHUB_OUTPUT"
cp "cdktf.out/$ENV/report.md" "report-$ENV.md"
cp "cdktf.out/$ENV/report.html" "report-$ENV.html"
{
  echo "| environment | add | change | destroy | tiers |"
  echo "|---|--:|--:|--:|---|"
  cat "row-$ENV.md"
  echo
  cat "report-$ENV.md"
} >>"$GITHUB_STEP_SUMMARY"
tiers=$(sed -n 's/^tiers=//p' outputs)
[[ $tiers ]] || exit 0
files=("cdktf.out/$ENV/report.json" "cdktf.out/$ENV/shown.json" "cdktf.out/$ENV/target")
for tier in $tiers; do
  files+=("cdktf.out/$ENV/stacks/$tier"/plan.*)
  for name in forecast .terraform.lock.hcl; do
    [[ ! -e cdktf.out/$ENV/stacks/$tier/$name ]] || files+=("cdktf.out/$ENV/stacks/$tier/$name")
  done
done
tar --create --file=plans.tar "${files[@]}"
sum=$(sha256sum plans.tar)
echo "sum=${sum%% *}" >>"$GITHUB_OUTPUT"
