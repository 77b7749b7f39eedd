# From now on Terraform starts pods of this image.
set -euo pipefail
aws ssm put-parameter --name "$PARAMETER" --type String --overwrite --value "$IMAGE" >/dev/null
echo "$SYSTEM runs \`$IMAGE\`" >>"$GITHUB_STEP_SUMMARY"
