# Exactly what was scanned. Deployed is its digest; the tag says which commit it was built from.
set -euo pipefail
aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY%%/*}"
docker tag scanned:latest "$REPOSITORY:$GITHUB_SHA"
docker push "$REPOSITORY:$GITHUB_SHA"
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$REPOSITORY:$GITHUB_SHA" |
  sed -n "s|^$REPOSITORY@||p")
if [[ ! $digest ]]; then
  echo "::error::the registry gave no digest for $REPOSITORY:$GITHUB_SHA"
  exit 1
fi
echo "digest=$digest" >>"$GITHUB_OUTPUT"
