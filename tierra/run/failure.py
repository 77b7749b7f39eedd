"""The meaning of a terraform failure, and the remedy, in two lines below terraform's message. Only KNOWN
interprets messages of terraform.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ANSI = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile("[╷│╵]")


@dataclass(frozen=True)
class Known:
    """A known failure: a pattern of terraform's message, its meaning, and the remedy. Names in braces are
    groups of the pattern or facts of the run: `env`, `verb`, `tier`, `stack`."""

    pattern: str
    meaning: str
    remedy: str


AGAIN = "make {verb} ENV={env}"
PLAN = "make plan ENV={env}"

# The most specific first: one failure often causes others.
KNOWN = (
    Known(
        r"errored\.tfstate",
        "the state could not be written; what was changed is in {stack}/errored.tfstate",
        "after the cause above is fixed, before anything else: make recover ENV={env} TIER={tier}",
    ),
    Known(
        r"Error acquiring the state lock.*?ID: (?P<id>\S+) Path: \S+ Operation: (?:OperationType)?"
        r"(?P<operation>\S+) Who: (?P<who>\S+) Version: (?P<version>\S+)"
        r" Created: (?P<created>\S+ [\d:]{8})\S* .*?Info:",
        "the state is locked: {who} has held it since {created} UTC ({operation}, version {version})",
        "wait until it is released, then run this again; only if that process is dead:"
        " make unlock ENV={env} TIER={tier} LOCK={id}",
    ),
    Known(
        r"Error acquiring the state lock",
        "the state is locked, and the lock does not name its holder",
        "run this again in a minute",
    ),
    Known(
        r"Saved plan is stale|Saved plan does not match the given state",
        "the state has changed since the saved plan was made, and the plan may be wrong",
        PLAN,
    ),
    Known(
        # opentofu/opentofu, internal/plans/planfile/tfplan.go, names both.
        r"plan file was created by (?:OpenTofu or )?Terraform (?P<theirs>[\w.-]+),"
        r" but this is (?P<ours>[\w.-]+)",
        "the plan was made by version {theirs}; this is {program} {ours}",
        "use version {theirs}, or plan again: " + PLAN,
    ),
    Known(
        r'S3 bucket "(?P<bucket>[^"]+)" does not exist|NoSuchBucket',
        "the bucket for the states does not exist",
        "make bootstrap ENV={env}",
    ),
    Known(
        r"AWS account ID not allowed: (?P<account>\d{12})",
        "the credentials are for the account {account}, and {env} is in another",
        "sign in to the account that environments/{env}.yaml names",
    ),
    Known(
        r"ExpiredToken|token (?:included in the request )?(?:is|has) expired",
        "the credentials have expired",
        "sign in again",
    ),
    Known(
        r"No valid credential sources found|failed to refresh cached credentials",
        "there are no credentials for AWS",
        "sign in: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    Known(
        r"state file uses format version \d+, which is not supported by (?:Terraform|OpenTofu)"
        r" (?P<ours>[\w.-]+?)\. This state file was created by (?P<writer>Terraform|OpenTofu)"
        r" (?P<theirs>[\w.-]+?)\. ?",
        "the state was written by {writer} {theirs}; this is {ours}, which cannot read it",
        "use {writer} {theirs} or newer",
    ),
    Known(
        r"managed by newer provider version",
        "the state was written with a newer provider than that of this version of Tierra",
        "use the version of Tierra that was applied last, or a newer one",
    ),
    Known(
        r"state file could not be parsed|does not have a \"version\" attribute",
        "the file in place of the state is not a state",
        "restore its earlier version: docs/reliability.md",
    ),
    Known(
        r"no space left on device|[Ff]ile too large|disk quota exceeded",
        "the disk is full",
        "free some space, then " + AGAIN,
    ),
    Known(
        r"Unable to find remote state|No stored state was found",
        "a tier that it needs is not applied",
        "plan and apply all tiers: make plan and make apply without TIER",
    ),
    Known(
        r"This object does not have an attribute named|Unsupported attribute",
        "a tier that it needs is not applied as it is configured now",
        "plan and apply all tiers: make plan and make apply without TIER",
    ),
    Known(
        r"plan file was created with a different set of external dependency",
        "the saved plan was made with other providers",
        PLAN,
    ),
    Known(
        r"Provider dependency changes detected|Inconsistent dependency lock file"
        r"|doesn't match any of the checksums|do not match any of the checksums",
        "the providers are not those of environments/providers.lock.hcl",
        "make lock, on a machine that reaches the registry, and commit the file",
    ),
    Known(
        r"Failed to query available provider packages|could not connect to registry",
        "the registry of providers cannot be reached",
        "check the network, then " + AGAIN,
    ),
    Known(
        r"KMS\.NotFoundException|Alias arn:\S+ is not found",
        "the key of the states does not exist",
        "make bootstrap ENV={env}",
    ),
    Known(
        r"request send failed|exceeded maximum number of attempts"
        r"|connection reset|connection refused|no such host|i/o timeout|network is",
        "AWS cannot be reached",
        "check the network, then " + AGAIN,
    ),
    Known(
        r"Instance cannot be destroyed.*?Resource (?P<address>\S+) has lifecycle\.prevent_destroy set",
        "protection keeps {address}: the change would replace it, with its data or the resources in it",
        "revert the change (for an import: write the existing values into the spec, or remove its line); if"
        " it is intended, write protection: false in environments/{env}.yaml and apply that first",
    ),
    Known(
        r"Error: (?:updating|creating) [^:]*: (?:operation error [^:]*: ModifyDB\w+, .*?)?"
        r"(?P<code>InvalidParameter(?:Combination|Value|Exception)): ",
        "AWS refused the change ({code}); what was applied before it stays",
        "make plan ENV={env}; its report has the remedy below AWS refuses",
    ),
    Known(
        # A deleted secret keeps its name for its recovery window.
        r"already scheduled for deletion.*?with (?P<address>aws_secretsmanager_secret\.[\w-]+),",
        "a deleted secret still has the name of {address}",
        "aws secretsmanager restore-secret --secret-id with that name; add {address} to"
        " environments/imports/{env}.yaml under {tier}, then make import ENV={env} TIER={tier}",
    ),
    Known(
        r"AccessDenied|UnauthorizedOperation|not authorized to perform",
        "the credentials do not permit this",
        "use a role with more permissions, or extend those of this one",
    ),
)

UNKNOWN = {
    "apply": Known(
        "",
        "it stopped halfway; what was created is in the state, and the cause is above",
        "remove the cause, then make plan ENV={env} and make apply ENV={env}",
    ),
    "bootstrap": Known(
        "",
        "it stopped halfway; what was created is in the state, and the cause is above",
        "remove the cause, then " + AGAIN,
    ),
    "destroy": Known(
        "",
        "it stopped halfway; what is left is in the state, and the cause is above",
        "remove the cause, then " + AGAIN,
    ),
    "": Known(
        "", "{program} failed and changed nothing; the cause is above", "remove the cause, then " + AGAIN
    ),
}


def explained(text: str, facts: Mapping[str, str]) -> str:
    """The message for terraform's output. `facts` has env, verb, tier, stack and program."""
    plain = " ".join(FRAME.sub(" ", ANSI.sub("", text)).split())
    for known in KNOWN:
        if match := re.search(known.pattern, plain):
            words = {
                **facts,
                **{
                    name: value.lower() if name == "operation" else value
                    for name, value in match.groupdict(default="").items()
                },
            }
            return _message(known, words)
    return _message(UNKNOWN.get(facts["verb"], UNKNOWN[""]), facts)


def _message(known: Known, words: Mapping[str, str]) -> str:
    return "\n".join(
        (
            f"{words['verb']}: {words['tier']} of {words['env']}: {known.meaning.format(**words)}",
            f"  remedy: {known.remedy.format(**words)}",
        )
    )
