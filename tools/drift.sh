#!/bin/sh
# `make drift` with the exit codes of terraform plan: 0 nothing differs, 2 something does, 1 it is not known.
# make itself ends every failure, of whatever kind, with 2.
#
#     tools/drift.sh ENV=production [TIER=network]
ENV=${ENV:-sandbox}
for argument; do
    case $argument in
    ENV=*) ENV=${argument#ENV=} ;;
    OUT=*) OUT=${argument#OUT=} ;;
    esac
done
if [ "$ENV" = all ]; then
    echo "drift.sh: ENV=all: the exit codes are those of one environment; run it for each" >&2
    exit 1
fi
CDPATH= cd "$(dirname "$0")/.." || exit 1
make drift "$@" && exit 0
grep -q '"verdict": "drift"' "${OUT:-cdktf.out/$ENV}/drift.json" 2>/dev/null && exit 2
exit 1
