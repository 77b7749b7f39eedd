#!/usr/bin/env bash
<%= written_by %>
#
# <%= system %> to <%= environment %>, for any CI: test, build, scan, push, migrate, roll out, check, and roll back if unhealthy.
#
#     COMMIT=$(git rev-parse HEAD) pipelines/<%= system %>.<%= environment %>.sh
#
# Run it in a checkout of the system's repository, one run at a time. It uses the AWS credentials of the environment, which
# must allow it to push to the registry, describe the cluster, write the parameter and deploy to the namespace. It needs
# docker with buildx, aws, kubectl, curl and grype, and access to the Kubernetes API. SCAN=no leaves the scan to your registry.
set -euo pipefail
if [[ -z ${COMMIT:-} ]]; then
  echo 'name the commit that is built: COMMIT=$(git rev-parse HEAD)' >&2
  exit 1
fi

work=$(mktemp -d)
reached=
finish() {
  code=$?
  trap - EXIT
  # Also if the run is interrupted; not before anything was changed, nor after the image was recorded.
  if [[ $reached == remember ]]; then
    echo "== Roll back"
    (
<% for step in steps if step.id == "roll-back" %>
<% for name, value in step.env.items() %>
      export <%= name %>=<%= quoted(value) %>
<% endfor %>
<% filter indent(6, true) %>
<% include "delivery/steps/roll-back.sh" %>
<% endfilter %>
<% endfor %>
    ) || true
  fi
  cat "$GITHUB_STEP_SUMMARY"
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The steps are those of the GitHub workflows, and expect the same files and variables.
export GITHUB_SHA=$COMMIT GITHUB_RUN_ID=${RUN:-$$} GITHUB_RUN_ATTEMPT=1
export RUNNER_TEMP=$work GITHUB_OUTPUT=$work/outputs GITHUB_STEP_SUMMARY=$work/summary
export KUBECONFIG=$work/kubeconfig BEFORE=$work/before
export AWS_REGION=<%= quoted(region) %> AWS_DEFAULT_REGION=<%= quoted(region) %>
export SYSTEM=<%= quoted(called) %> REPOSITORY=<%= quoted(repository) %> REPOSITORY_NAME=<%= quoted(repository_name) %>
: >"$GITHUB_OUTPUT"
: >"$GITHUB_STEP_SUMMARY"
folder=<%= quoted(folder) %>

account=$(aws sts get-caller-identity --query Account --output text)
if [[ $account != <%= quoted(account) %> ]]; then
  echo "these credentials are for the account $account, but <%= environment %> is in <%= account %>" >&2
  exit 1
fi

echo "== Look for the image of this commit"
(
<% include "delivery/steps/find-image.sh" %>
)
digest=$(sed -n 's/^digest=//p' "$GITHUB_OUTPUT")
if [[ -z $digest ]]; then
  echo "== Test"
  docker buildx build --platform <%= platform %> --target test --output type=cacheonly "$folder"
  echo "== Build"
  aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY%%/*}"
  # Without a tag: it is not deployed, and expires unless it passes the scan.
  docker buildx build --platform <%= platform %> --provenance mode=max --sbom true --metadata-file "$work/built" \
    --output "type=image,name=$REPOSITORY,push-by-digest=true,name-canonical=true,push=true" "$folder"
  digest=$(sed -n 's/.*"containerimage.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$work/built")
  if [[ ${SCAN:-yes} != no ]]; then
    echo "== Refuse known vulnerabilities that have a fix"
    grype "$REPOSITORY@$digest" --only-fixed --fail-on <%= severity %>
  fi
  echo "== Tag the scanned image"
  (
    export SOURCE=$REPOSITORY SOURCE_REGION=$AWS_REGION DIGEST=$digest
<% filter indent(4, true) %>
<% include "delivery/steps/tag.sh" %>
<% endfilter %>
  )
fi
export IMAGE=$REPOSITORY@$digest
<% for step in steps if step.id != "roll-back" %>

echo "== <%= step.name %>"
(
<% for name, value in step.env.items() %>
export <%= name %>=<%= quoted(value) %>
<% endfor %>
<% include "delivery/steps/" ~ step.id ~ ".sh" %>
)
<% if step.id in ("remember", "record") %>
reached=<%= step.id %>
<% endif %>
<% endfor %>
