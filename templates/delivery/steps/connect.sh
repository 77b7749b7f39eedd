set -euo pipefail
if [[ ! $IMAGE =~ @sha256:[0-9a-f]{64}$ ]]; then
  echo "::error::$IMAGE is no image with a digest"
  exit 1
fi
aws eks update-kubeconfig --name "$CLUSTER" --alias "$CLUSTER" >/dev/null
kubectl config set-context "$CLUSTER" --namespace="$SYSTEM" >/dev/null
if ! kubectl auth can-i patch deployments; then
  echo "::error::this runner does not reach the cluster $CLUSTER, or its role may not deploy $SYSTEM there"
  exit 1
fi
