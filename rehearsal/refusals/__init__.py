"""What AWS refuses when terraform applies: one module per service, each with its rules and their sources.

The embedded provider evaluates the rules at every creation, change and deletion. Rules that need no account,
and of which the report warns before an apply, are in `tierra.aws.transitions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from rehearsal.refusals import (
    acm,
    backup,
    builds,
    cloudwatch,
    ec2,
    eks,
    elasticache,
    elb,
    iam,
    kms,
    names,
    rds,
    references,
    route53,
    s3,
    secretsmanager,
    wafv2,
)
from rehearsal.refusals.rules import CHANGE, CREATE, DELETE, Rule
from tierra.aws.transition_answers import Around, Values

SERVICES: dict[str, tuple[Rule, ...]] = {
    "References": references.RULES,
    "EC2 and VPC": ec2.RULES,
    "Elastic Load Balancing": elb.RULES,
    "RDS and DocumentDB": rds.RULES,
    "ElastiCache": elasticache.RULES,
    "EKS": eks.RULES,
    "IAM": iam.RULES,
    "KMS": kms.RULES,
    "S3": s3.RULES,
    "Route 53": route53.RULES,
    "ACM": acm.RULES,
    "WAF": wafv2.RULES,
    "Secrets Manager": secretsmanager.RULES,
    "CloudWatch and SNS": cloudwatch.RULES,
    "AWS Backup": backup.RULES,
    "ECR, CodeBuild and Lambda": builds.RULES,
    "Names": names.RULES,
}
RULES = tuple(rule for rules in SERVICES.values() for rule in rules)


@cache
def _of(type_name: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if type_name in rule.types)


def refusals(
    type_name: str, was: Values | None, now: Values | None, around: Around
) -> Iterator[tuple[Rule, str]]:
    """The rules that an operation breaks, each with AWS's answer. A creation has no `was`, a deletion no
    `now`."""
    rules = _of(type_name)
    if not rules:
        return
    known: dict[str, list[Values]] = {}

    def remembered(name: str) -> Iterable[Values]:
        if name not in known:
            known[name] = list(around(name))
        return known[name]

    when = {CREATE, CHANGE} if was is None else {CHANGE} if now is not None else {DELETE}
    before = was or {}
    for rule in rules:
        if rule.when in when and (answer := rule.answer(before, before if now is None else now, remembered)):
            yield rule, answer
