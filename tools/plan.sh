#!/bin/sh
# `make plan` with the exit codes of terraform plan -detailed-exitcode: 0 no changes, 2 changes, 1 an error.
# make itself ends every failure, of whatever kind, with 2.
#
#     tools/plan.sh ENV=production [TIER=network]
ENV=${ENV:-sandbox}
for argument; do
    case $argument in
    ENV=*) ENV=${argument#ENV=} ;;
    OUT=*) OUT=${argument#OUT=} ;;
    esac
done
CDPATH= cd "$(dirname "$0")/.." || exit 1
make plan "$@" DETAILED= || exit 1
grep -q '"verdict": "none"' "${OUT:-cdktf.out/$ENV}/report.json" && exit 0
exit 2
