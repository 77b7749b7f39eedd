# What runs now, a line each: workload, replicas (- of a cron job), image. The way back is to exactly this, for
# `rollout undo` would go one revision too far where the image is the same as before.
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
