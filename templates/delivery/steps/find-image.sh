# Tags are immutable, so a commit has one image: a second run deploys what the first has tested, scanned and pushed.
set -euo pipefail
if digest=$(aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="$GITHUB_SHA" \
  --query 'imageDetails[0].imageDigest' --output text 2>"$RUNNER_TEMP/refusal"); then
  echo "the image of $GITHUB_SHA exists already: $digest"
  echo "digest=$digest" >>"$GITHUB_OUTPUT"
elif grep -q ImageNotFoundException "$RUNNER_TEMP/refusal"; then
  echo "$GITHUB_SHA has no image yet"
else
  cat "$RUNNER_TEMP/refusal" >&2
  exit 1
fi
