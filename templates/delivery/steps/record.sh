# From now on Terraform releases this image.
set -euo pipefail
aws ssm put-parameter --name "$PARAMETER" --type String --overwrite --value "$IMAGE" >/dev/null
echo "$SYSTEM runs \`$IMAGE\`" >>"$GITHUB_STEP_SUMMARY"
