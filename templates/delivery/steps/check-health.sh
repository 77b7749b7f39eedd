# From outside, through DNS, WAF, load balancer and gateway, like users; three successful responses in a row.
set -euo pipefail
good=0
for ((try = 0; try < TRIES; try++)); do
  code=$(curl --silent --output /dev/null --max-time 10 --user-agent tierra --write-out '%{http_code}' "$URL") || true
  if [[ $code == 200 ]]; then good=$((good + 1)); else good=0; fi
  echo "$URL: $code"
  if ((good == 3)); then exit 0; fi
  sleep "$PAUSE"
done
echo "::error::$URL does not answer 200"
exit 1
