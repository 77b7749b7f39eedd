# One issue for all environments: opened, updated while there is drift, and closed when there is none.
set -euo pipefail
drifted=
{
  echo "<!-- tierra: drift -->"
  echo "AWS differs from the states, or could not be compared. Apply, or change the specs to the intended values."
  echo
  echo "| environment | drift |"
  echo "|---|---|"
  for name in $NAMES; do
    row=$(cat "rows/row-$name.md" 2>/dev/null || echo "| $name | **not compared** |")
    echo "$row"
    [[ $row == *"| none |" ]] || drifted=yes
  done
  echo
  echo "Each comparison in full: [run]($RUN)"
} >issue.md
cat issue.md >>"$GITHUB_STEP_SUMMARY"
issues=repos/$GITHUB_REPOSITORY/issues
there=$(gh api --paginate "$issues?state=open" \
  --jq '.[] | select(.user.type == "Bot" and ((.body // "") | startswith("<!-- tierra: drift -->"))) | .number' | sed -n 1p)
if [[ $drifted && $there ]]; then
  gh api --method PATCH "$issues/$there" --field body=@issue.md --silent
elif [[ $drifted ]]; then
  gh api --method POST "$issues" --field title="Drift of the infrastructure" --field body=@issue.md --silent
elif [[ $there ]]; then
  gh api --method PATCH "$issues/$there" --field state=closed --silent
fi
