set -euo pipefail
mapfile -t workloads < <(grep ^deployment/ "$BEFORE")
for line in "${workloads[@]}"; do
  read -r workload replicas _ <<<"$line"
  kubectl set image "$workload" "app=$IMAGE"
  kubectl annotate "$workload" --overwrite "kubernetes.io/change-cause=$GITHUB_SHA, run $GITHUB_RUN_ID"
  if [[ $replicas == 0 ]]; then # the first deployment; later Terraform and the autoscaler decide how many
    count=1
    [[ $workload != "deployment/$SYSTEM" ]] || count=$REPLICAS
    kubectl scale "$workload" --replicas="$count"
  fi
done
for line in "${workloads[@]}"; do
  kubectl rollout status "${line%% *}" --timeout="$TIMEOUT"
done
