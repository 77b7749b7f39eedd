"""IAM: policy documents, their sizes, names, and what prevents a deletion."""

from __future__ import annotations

from typing import Any

from rehearsal.refusals.documents import IDENTITY, TRUST, policy_error, size, unknown_principal
from rehearsal.refusals.rules import CREATE, DELETE, Rule, changed, others, texts, used_by
from tierra.aws.transition_answers import Around, Values

ROLE, POLICY, INLINE, ATTACHED = (
    "aws_iam_role",
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
)
PROFILE = "aws_iam_instance_profile"
# Quotas, in characters without white space: page IAM/latest/UserGuide/reference_iam-quotas.html.
POLICY_SIZE, ROLE_SIZE, TRUST_SIZE, ATTACHMENTS = 6144, 10240, 2048, 10


def document(argument: str, kind: str) -> Any:
    def answer(was: Values, now: Values, around: Around) -> str:
        if not changed(was, now, argument):
            return ""
        words = policy_error(now.get(argument), kind) or unknown_principal(now.get(argument), around)
        return f"MalformedPolicyDocument: {words}" if words else ""

    return answer


def policy_size(was: Values, now: Values, _around: Around) -> str:
    big = size(now.get("policy")) > POLICY_SIZE and changed(was, now, "policy")
    return f"LimitExceeded: Cannot exceed quota for PolicySize: {POLICY_SIZE}" if big else ""


def trust_size(was: Values, now: Values, _around: Around) -> str:
    big = size(now.get("assume_role_policy")) > TRUST_SIZE and changed(was, now, "assume_role_policy")
    return f"LimitExceeded: Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}" if big else ""


def inline_size(was: Values, now: Values, around: Around) -> str:
    role = now.get("role")
    if not isinstance(role, str) or not changed(was, now, "policy"):
        return ""
    rest = [policy for policy in others(around, INLINE, now) if policy.get("role") == role]
    total = size(now.get("policy")) + sum(size(policy.get("policy")) for policy in rest)
    if total <= ROLE_SIZE:
        return ""
    return f"LimitExceeded: Maximum policy size of {ROLE_SIZE} bytes exceeded for role {role}"


def attachments(_was: Values, now: Values, around: Around) -> str:
    role, mine = now.get("role"), now.get("policy_arn")
    rest = {
        attachment.get("policy_arn")
        for attachment in others(around, ATTACHED, now)
        if attachment.get("role") == role
    } - {mine}
    if not isinstance(role, str) or len(rest) < ATTACHMENTS:
        return ""
    return f"LimitExceeded: Cannot exceed quota for PoliciesPerRole: {ATTACHMENTS}"


def policy_attached(was: Values, _now: Values, around: Around) -> str:
    arn = was.get("arn")
    for name in ("role", "user", "group"):
        for attachment in around(f"aws_iam_{name}_policy_attachment"):
            if isinstance(arn, str) and attachment.get("policy_arn") == arn:
                return "DeleteConflict: Cannot delete a policy attached to entities."
    return ""


def role_attached(was: Values, _now: Values, around: Around) -> str:
    name = was.get("name")
    if was.get("force_detach_policies") is True or not texts(name):
        return ""
    if any(policy.get("role") == name for type_name in (ATTACHED, INLINE) for policy in around(type_name)):
        return "DeleteConflict: Cannot delete entity, must detach all policies first."
    return ""


GRAMMAR = "page IAM/latest/UserGuide/reference_policies_grammar.html; API iam, "
QUOTA = "page IAM/latest/UserGuide/reference_iam-quotas.html; API iam, "
RULES = (
    Rule(
        "policy",
        (POLICY, INLINE, "aws_iam_user_policy", "aws_iam_group_policy"),
        "a policy must follow the grammar: known keys, actions with a service, resources, no principal,"
        " unique Sids",
        GRAMMAR + "CreatePolicy, MalformedPolicyDocument",
        document("policy", IDENTITY),
    ),
    Rule(
        "trust",
        (ROLE,),
        "a trust policy must have principals and actions of STS, and no resource",
        GRAMMAR + "CreateRole, MalformedPolicyDocument;"
        " terraform-aws-modules/terraform-aws-eks-pod-identity#34 quotes an answer",
        document("assume_role_policy", TRUST),
    ),
    Rule(
        "policy_size",
        (POLICY,),
        f"a managed policy must have at most {POLICY_SIZE} characters",
        QUOTA + "CreatePolicy, LimitExceeded",
        policy_size,
    ),
    Rule(
        "trust_size",
        (ROLE,),
        f"a trust policy must have at most {TRUST_SIZE} characters",
        QUOTA + "CreateRole, LimitExceeded",
        trust_size,
    ),
    Rule(
        "inline_size",
        (INLINE,),
        f"the inline policies of a role must have at most {ROLE_SIZE} characters together",
        "vinycoolguy2015/awslambda#1 quotes the answer; " + QUOTA + "PutRolePolicy, LimitExceeded",
        inline_size,
    ),
    Rule(
        "attachments",
        (ATTACHED,),
        f"a role must have at most {ATTACHMENTS} managed policies",
        QUOTA + "AttachRolePolicy, LimitExceeded",
        attachments,
        CREATE,
    ),
    Rule(
        "policy_attached",
        (POLICY,),
        "an attached policy must not be deleted",
        "API iam, DeletePolicy, DeleteConflict",
        policy_attached,
        DELETE,
    ),
    Rule(
        "role_attached",
        (ROLE,),
        "a role with policies must not be deleted",
        "API iam, DeleteRole, DeleteConflict",
        role_attached,
        DELETE,
    ),
    Rule(
        "role_in_profile",
        (ROLE,),
        "a role in an instance profile must not be deleted",
        "API iam, DeleteRole, DeleteConflict",
        used_by(
            ((PROFILE, "role"),),
            "name",
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.",
        ),
        DELETE,
    ),
)
