set -euo pipefail
{
  echo "<!-- tierra: drift -->"
  echo "What runs is not what the specs say, or could not be compared. Apply, or change the specs to what is meant."
  echo
  cat table.md
  echo
  echo "Each plan in full: [run]($RUN)"
} >issue.md
drifted=
for name in $NAMES; do
  grep -q 'no changes |$' "rows/row-$name.md" 2>/dev/null || drifted=yes
done
issues=repos/$GITHUB_REPOSITORY/issues
there=$(gh api --paginate "$issues?state=open" \
  --jq '.[] | select(.user.type == "Bot" and ((.body // "") | startswith("<!-- tierra: drift -->"))) | .number' | head -n 1)
if [[ $drifted && $there ]]; then
  gh api --method PATCH "$issues/$there" --field body=@issue.md --silent
elif [[ $drifted ]]; then
  gh api --method POST "$issues" --field title="Drift of the infrastructure" --field body=@issue.md --silent
elif [[ $there ]]; then
  gh api --method PATCH "$issues/$there" --field state=closed --silent
fi
