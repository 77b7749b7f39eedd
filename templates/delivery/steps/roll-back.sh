set -euo pipefail
kubectl get pods || true
kubectl get events --field-selector=type=Warning --sort-by=.lastTimestamp | tail -n 20 || true
failed=
mapfile -t lines <"$BEFORE"
for line in "${lines[@]}"; do
  read -r workload replicas image <<<"$line"
  kubectl set image "$workload" "app=$image" || failed=yes
  if [[ $replicas == 0 ]]; then kubectl scale "$workload" --replicas=0 || failed=yes; fi
  if [[ $workload == cronjob/* && $image == none ]]; then
    kubectl patch cronjob "${workload#cronjob/}" --patch='{"spec":{"suspend":true}}' || failed=yes
  fi
done
for line in "${lines[@]}"; do
  read -r workload replicas _ <<<"$line"
  if [[ $workload == deployment/* && $replicas != 0 ]]; then
    kubectl rollout status "$workload" --timeout="$TIMEOUT" || failed=yes
  fi
done
if [[ $failed ]]; then
  echo "::error::$SYSTEM could not be rolled back: see what runs with kubectl --namespace $SYSTEM get pods"
  exit 1
fi
{
  echo "The deployment of \`$IMAGE\` failed. $SYSTEM runs what it ran before:"
  printf -- '- `%s`\n' "${lines[@]}"
} >>"$GITHUB_STEP_SUMMARY"
