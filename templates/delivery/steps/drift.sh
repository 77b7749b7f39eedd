set -euo pipefail
mark='<!-- tierra: drift -->'
{
  echo "$mark"
  echo "What runs is not what the specs say, or could not be compared. Apply, or change the specs to what is meant."
  echo
  cat table.md
  echo
  echo "Each plan in full: [run]($RUN)"
} >issue.md
issues=repos/$GITHUB_REPOSITORY/issues
there=$(gh api --paginate "$issues?state=open&per_page=100" | jq --raw-output --slurp --arg mark "$mark" \
  'add // [] | map(select(.user.type == "Bot" and (.body // "" | startswith($mark)))) | .[0].number // empty')
if [[ $CHANGED && $there ]]; then
  gh api --method PATCH "$issues/$there" --field body=@issue.md >/dev/null
elif [[ $CHANGED ]]; then
  gh api --method POST "$issues" --field title="Drift of the infrastructure" --field body=@issue.md >/dev/null
elif [[ $there ]]; then
  gh api --method PATCH "$issues/$there" --field state=closed >/dev/null
fi
