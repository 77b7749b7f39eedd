set -euo pipefail
{
  echo "<!-- tierra: plans -->"
  echo "### Plans of ${COMMIT:0:8}"
  echo
  cat table.md
  echo
  echo "Each plan in full: [run]($RUN)"
} >comment.md
# GitHub refuses comments of more than 65,536 characters. Reports that do not fit are in the run.
for name in $NAMES; do
  report=rows/report-$name.md
  if [[ -f $report ]] && (($(wc -c <comment.md) + $(wc -c <"$report") < 65000)); then
    echo >>comment.md
    cat "$report" >>comment.md
  fi
done
issues=repos/$GITHUB_REPOSITORY/issues
there=$(gh api --paginate "$issues/$NUMBER/comments" \
  --jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- tierra: plans -->"))) | .id' | sed -n 1p)
if [[ $there ]]; then
  gh api --method PATCH "$issues/comments/$there" --field body=@comment.md --silent
else
  gh api --method POST "$issues/$NUMBER/comments" --field body=@comment.md --silent
fi
