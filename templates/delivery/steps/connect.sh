set -euo pipefail
for tool in aws kubectl curl; do
  if ! command -v "$tool" >/dev/null; then
    echo "::error::this runner has no $tool; docs/delivery.md of the infrastructure lists what it needs"
    exit 1
  fi
done
if [[ ! $IMAGE =~ @sha256:[0-9a-f]{64}$ ]]; then
  echo "::error::$IMAGE is not an image with a digest"
  exit 1
fi
aws eks update-kubeconfig --name "$CLUSTER" --alias "$CLUSTER" >/dev/null
kubectl config set-context "$CLUSTER" --namespace="$SYSTEM" >/dev/null
if ! kubectl auth can-i patch deployments; then
  echo "::error::this runner does not reach the cluster $CLUSTER, or its role may not deploy $SYSTEM there; inside the VPC a runner needs the security group $CLUSTER-runner (output runner_security_group_id of the tier network)"
  exit 1
fi
