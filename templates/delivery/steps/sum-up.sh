# Each environment that was planned has left a row; those without a row failed.
set -euo pipefail
{
  echo "| environment | add | change | destroy | tiers |"
  echo "|---|--:|--:|--:|---|"
  for name in $NAMES; do
    cat "rows/row-$name.md" 2>/dev/null || echo "| $name | | | | **not planned**: see the [run]($RUN) |"
  done
} >table.md
cat table.md >>"$GITHUB_STEP_SUMMARY"
