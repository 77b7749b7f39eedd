set -euo pipefail
code=0
tools/drift.sh || code=$?
case $code in
  0) found=none ;;
  2) found="**differs**" ;;
  *) found="**not compared**" ;;
esac
echo "| $ENV | $found |" >"row-$ENV.md"
cat "row-$ENV.md"
if [[ -f cdktf.out/$ENV/drift.md ]]; then cat "cdktf.out/$ENV/drift.md" >>"$GITHUB_STEP_SUMMARY"; fi
