# Before pods of the new image get requests. Pods of the old one still do: a migration must be compatible with both.
set -euo pipefail
if ! grep -q "^cronjob/$SYSTEM-migrate " "$BEFORE"; then
  echo "$SYSTEM has no migrations"
  exit 0
fi
kubectl set image "cronjob/$SYSTEM-migrate" "app=$IMAGE"
job="$SYSTEM-migrate-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT"
kubectl create job "$job" --from="cronjob/$SYSTEM-migrate"
for ((try = 0; try < TRIES; try++)); do
  ended=$(kubectl get job "$job" --output=jsonpath='{.status.conditions[?(@.status=="True")].type}')
  case " $ended " in
    *" Complete "*)
      kubectl logs "job/$job" --container=app --tail=50 || true
      exit 0
      ;;
    *" Failed "*)
      kubectl logs "job/$job" --container=app --tail=200 || true
      echo "::error::the migrations of $SYSTEM failed"
      exit 1
      ;;
  esac
  sleep "$PAUSE"
done
echo "::error::the migrations of $SYSTEM did not end in time"
exit 1
