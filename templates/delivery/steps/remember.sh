# The current state, a line for each workload: name, replicas (- for a cron job), image. A rollback restores exactly
# this, because `rollout undo` would go back too far if the image has not changed.
set -euo pipefail
app='containers[?(@.name=="app")].image'
: >"$BEFORE.new"
for name in "$SYSTEM" "$SYSTEM-worker" "$SYSTEM-beat"; do
  found=$(kubectl get deployment "$name" --ignore-not-found \
    --output=jsonpath="{.spec.replicas} {.spec.template.spec.$app}")
  [[ -z $found ]] || echo "deployment/$name $found" >>"$BEFORE.new"
done
for name in "$SYSTEM-migrate" ${JOBS-}; do
  found=$(kubectl get cronjob "$name" --ignore-not-found \
    --output=jsonpath="{.spec.jobTemplate.spec.template.spec.$app}")
  [[ -z $found ]] || echo "cronjob/$name - $found" >>"$BEFORE.new"
done
if ! grep -q "^deployment/$SYSTEM " "$BEFORE.new"; then
  echo "::error::there is no deployment $SYSTEM: apply the tier systems of this environment first"
  exit 1
fi
mv "$BEFORE.new" "$BEFORE"
cat "$BEFORE"
