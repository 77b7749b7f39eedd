"""ECR, CodeBuild and Lambda: images, builds and functions."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from rehearsal.refusals.documents import RESOURCE, policy_error, trusted
from rehearsal.refusals.rules import Rule, blocks, changed, foreign_groups, networks
from tierra.aws.transition_answers import Around, Values

INVALID = "InvalidParameterException: Invalid parameter at"


def _order(rules: list[Any]) -> str:
    numbers = Counter(rule.get("rulePriority") for rule in rules if isinstance(rule, dict))
    if any(number > 1 for number in numbers.values()):
        return "rulePriority must be unique"
    every = [rule for rule in rules if isinstance(rule, dict) and _selected(rule).get("tagStatus") == "any"]
    if len(every) > 1:
        return "only one rule may have tagStatus any"
    known = [number for number in numbers if isinstance(number, int)]
    if every and known and every[0].get("rulePriority") != max(known):
        return "the rule with tagStatus any must have the highest rulePriority, so that it is evaluated last"
    return ""


def _selected(rule: dict[str, Any]) -> dict[str, Any]:
    value = rule.get("selection")
    return value if isinstance(value, dict) else {}


def lifecycle_fault(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return "the text is no JSON"
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        return 'the object has missing required properties (["rules"])'
    for rule in rules:
        missing = [name for name in ("rulePriority", "selection", "action") if name not in rule]
        if missing:
            return f"the object has missing required properties ({json.dumps(missing)})"
        chosen = _selected(rule)
        if chosen.get("tagStatus") not in ("tagged", "untagged", "any"):
            return f"tagStatus {chosen.get('tagStatus')} is none of tagged, untagged and any"
        if chosen["tagStatus"] == "tagged" and not (
            chosen.get("tagPrefixList") or chosen.get("tagPatternList")
        ):
            return "tagStatus tagged needs tagPrefixList or tagPatternList"
        if chosen.get("countType") not in (
            "imageCountMoreThan",
            "sinceImagePushed",
            "sinceImagePulled",
            "sinceImageTransitioned",
        ):
            return f"countType {chosen.get('countType')} is not known"
        if chosen["countType"] == "imageCountMoreThan" and "countUnit" in chosen:
            return "countType imageCountMoreThan has no countUnit"
        if str(chosen["countType"]).startswith("since") and chosen.get("countUnit") != "days":
            return f"countType {chosen['countType']} needs countUnit days"
        if not isinstance(chosen.get("countNumber"), int) or chosen["countNumber"] < 1:
            return "countNumber must be 1 or more"
    return _order(rules)


def lifecycle(was: Values, now: Values, _around: Around) -> str:
    text = now.get("policy")
    words = lifecycle_fault(text) if isinstance(text, str) and changed(was, now, "policy") else ""
    if not words:
        return ""
    return (
        f"{INVALID} 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation"
        f" failure: {words}'"
    )


def repository_policy(was: Values, now: Values, _around: Around) -> str:
    words = policy_error(now.get("policy"), RESOURCE) if changed(was, now, "policy") else ""
    if not words:
        return ""
    return (
        f"{INVALID} 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided': {words}"
    )


def project_role(was: Values, now: Values, around: Around) -> str:
    arn = now.get("service_role")
    if not changed(was, now, "service_role") or trusted(around, arn, "codebuild.amazonaws.com"):
        return ""
    return (
        f"InvalidInputException: CodeBuild is not authorized to perform: sts:AssumeRole on service role {arn}"
    )


def project_network(was: Values, now: Values, around: Around) -> str:
    for config in blocks(now, "vpc_config"):
        vpc, own = config.get("vpc_id"), networks(around, config.get("subnets"))
        if not isinstance(vpc, str) or not changed(was, now, "vpc_config"):
            continue
        if own - {vpc}:
            return f"InvalidInputException: The subnets are of {min(own - {vpc})}, the project is in {vpc}"
        for group, its in foreign_groups(around, config.get("security_group_ids"), {vpc}):
            return f"InvalidInputException: Security group {group} is of {its}, the project is in {vpc}"
    return ""


def function_role(was: Values, now: Values, around: Around) -> str:
    if not changed(was, now, "role") or trusted(around, now.get("role"), "lambda.amazonaws.com"):
        return ""
    return "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."


RULES = (
    Rule(
        "image_lifecycle",
        ("aws_ecr_lifecycle_policy",),
        "rules of a lifecycle policy must be complete, with unique priorities, and the one for any image"
        " must be last",
        "page AmazonECR/latest/userguide/lifecycle_policy_parameters.html; API ecr, PutLifecyclePolicy,"
        " InvalidParameterException",
        lifecycle,
    ),
    Rule(
        "repository_policy",
        ("aws_ecr_repository_policy",),
        "a policy of a repository must follow the grammar",
        "API ecr, SetRepositoryPolicy, InvalidParameterException",
        repository_policy,
    ),
    Rule(
        "project_role",
        ("aws_codebuild_project",),
        "the role of a project must trust codebuild.amazonaws.com",
        "API codebuild, CreateProject, InvalidInputException",
        project_role,
    ),
    Rule(
        "project_network",
        ("aws_codebuild_project",),
        "subnets and security groups of a project must be in its VPC",
        "API codebuild, CreateProject, InvalidInputException; VpcConfig",
        project_network,
    ),
    Rule(
        "function_role",
        ("aws_lambda_function",),
        "the role of a function must trust lambda.amazonaws.com",
        "API lambda, CreateFunction, InvalidParameterValueException",
        function_role,
    ),
)
