set -euo pipefail
mapfile -t workloads < <(grep ^deployment/ "$BEFORE")
for line in "${workloads[@]}"; do
  read -r workload replicas _ <<<"$line"
  kubectl set image "$workload" "app=$IMAGE"
  kubectl annotate "$workload" --overwrite "kubernetes.io/change-cause=$GITHUB_SHA, run $GITHUB_RUN_ID"
  # The first deployment: Terraform has created no pods, because there was no image, and an autoscaler does not scale
  # from zero. Later these two decide the number.
  if [[ $replicas == 0 ]]; then
    case $workload in
      "deployment/$SYSTEM") count=$REPLICAS ;;
      "deployment/$SYSTEM-worker") count=$WORKERS ;;
      *) count=1 ;;
    esac
    kubectl scale "$workload" --replicas="$count"
  fi
done
# Scheduled jobs use the new image from now on.
for name in ${JOBS-}; do
  grep -q "^cronjob/$name " "$BEFORE" || continue
  kubectl set image "cronjob/$name" "app=$IMAGE"
  kubectl patch cronjob "$name" --patch='{"spec":{"suspend":false}}'
done
for line in "${workloads[@]}"; do
  kubectl rollout status "${line%% *}" --timeout="$TIMEOUT"
done
