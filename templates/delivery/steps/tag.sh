# The same image by digest, with its provenance and bill of materials; the tag names the commit that it was built from.
# Tags are immutable, and a second attempt finds the tag of the first.
set -euo pipefail
if [[ ! $DIGEST =~ ^sha256:[0-9a-f]{64}$ ]]; then
  echo "::error::there is no digest of the image of $GITHUB_SHA: $DIGEST"
  exit 1
fi
tagged() {
  aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="$GITHUB_SHA" \
    --query 'imageDetails[0].imageDigest' --output text 2>"$RUNNER_TEMP/refusal"
}
if ! there=$(tagged); then
  if ! grep -q ImageNotFoundException "$RUNNER_TEMP/refusal"; then
    cat "$RUNNER_TEMP/refusal" >&2
    exit 1
  fi
  aws ecr get-login-password --region "$SOURCE_REGION" | docker login --username AWS --password-stdin "${SOURCE%%/*}"
  aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY%%/*}"
  docker buildx imagetools create --prefer-index=false --tag "$REPOSITORY:$GITHUB_SHA" "$SOURCE@$DIGEST"
  there=$(tagged)
fi
if [[ $there != "$DIGEST" ]]; then
  echo "::error::$REPOSITORY:$GITHUB_SHA is $there, but the approved image is $DIGEST"
  exit 1
fi
echo "digest=$DIGEST" >>"$GITHUB_OUTPUT"
