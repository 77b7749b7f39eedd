# The runner is temporary. Resources that an apply created but no state contains are saved where only operators can
# read.
set -euo pipefail
left=
for file in "cdktf.out/$ENV"/stacks/*/{errored.tfstate,journal}; do
  [[ ! -e $file ]] || left=yes
done
[[ $left ]] || exit 0
failed=
.venv/bin/python -m tierra.run --env "$ENV" --out "cdktf.out/$ENV" keep >kept || failed=yes
cat kept
{
  echo "The apply of $ENV ended before its states held all that it had created:"
  echo
  sed 's/^/    /' kept
} >>"$GITHUB_STEP_SUMMARY"
[[ ! $failed ]]
