set -euo pipefail
mark='<!-- tierra: plans -->'
{
  echo "$mark"
  echo "### Plans of ${GITHUB_SHA:0:8}"
  echo
  cat table.md
  echo
  echo "Each plan in full: [run]($RUN)"
} >comment.md
comments=repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments
there=$(gh api --paginate "$comments?per_page=100" | jq --raw-output --slurp --arg mark "$mark" \
  'add // [] | map(select(.user.type == "Bot" and (.body | startswith($mark)))) | .[0].id // empty')
if [[ $there ]]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$there" --field body=@comment.md >/dev/null
else
  gh api --method POST "$comments" --field body=@comment.md >/dev/null
fi
