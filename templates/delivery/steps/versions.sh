# One issue for all versions: opened, updated while a version is outdated, and closed when none is.
set -euo pipefail
{
  echo "<!-- tierra: versions -->"
  cat versions.md
  echo
  echo "All versions: [run]($RUN)"
} >issue.md
issues=repos/$GITHUB_REPOSITORY/issues
there=$(gh api --paginate "$issues?state=open" \
  --jq '.[] | select(.user.type == "Bot" and ((.body // "") | startswith("<!-- tierra: versions -->"))) | .number' | sed -n 1p)
if [[ -s versions.md && $there ]]; then
  gh api --method PATCH "$issues/$there" --field body=@issue.md --silent
elif [[ -s versions.md ]]; then
  gh api --method POST "$issues" --field title="Old versions" --field body=@issue.md --silent
elif [[ $there ]]; then
  gh api --method PATCH "$issues/$there" --field state=closed --silent
fi
