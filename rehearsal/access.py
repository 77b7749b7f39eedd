"""Permissions of one role: with `REHEARSAL_AS=apply`, calls that the role's policies do not allow are
refused.

The role, its policies and its boundary are those in the account. `calls.yaml` lists the calls that the
provider makes for each type, `actions.json.gz` AWS's description of these actions. Unknowns count as allowed:
a condition on a key that is not modelled, a policy that the account does not hold, the tags of a resource
that was not created here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal import actions
from rehearsal.account import Account
from rehearsal.cloud import Cloud
from rehearsal.iam import Identity, Request, listed
from rehearsal.protocol import UNKNOWN, Object, error
from rehearsal.requests import Call, Thing, requests, shape

ROLE, POLICY, ALIAS = "aws_iam_role", "aws_iam_policy", "aws_kms_alias"
DOING = {"read": "reading", "create": "creating", "update": "updating", "delete": "deleting"}
SESSION = "rehearsal"
# Services with one endpoint, in us-east-1 of the partition aws, which aws:RequestedRegion then is.
GLOBAL = {"budgets", "iam", "route53", "shield"}
# Arguments that name the resource of a call, by its part of an ARN in the reference, where it is not the same
# name in lower case; by kind if the part is ambiguous.
ARGUMENTS: Mapping[str, Sequence[str]] = {
    "BackupPlanId": ("plan_id",),
    "BucketName": ("bucket",),
    "ClusterParameterGroupName": ("db_cluster_parameter_group_name",),
    "DbClusterInstanceName": ("cluster_identifier",),
    "InternetGatewayId": ("gateway_id",),
    "NaclId": ("network_acl_id",),
    "ParameterGroupName": ("parameter_group_name",),
    "RepositoryName": ("repository",),
    "SubnetGroupName": ("db_subnet_group_name",),
    "SubnetId": ("subnet_id", "subnet_ids"),
    "hostedzone": ("zone_id",),
}
UNNAMED = {"Id", "Name", "GroupId", "UUID"}
# The owner of a resource, where calls are about the owner: its type, and the arguments that connect the two.
BELONGS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "aws_backup_restore_testing_selection": (
        "aws_backup_restore_testing_plan",
        {"name": "restore_testing_plan_name"},
    ),
    "aws_backup_selection": ("aws_backup_plan", {"id": "plan_id"}),
    "aws_eks_access_policy_association": (
        "aws_eks_access_entry",
        {"cluster_name": "cluster_name", "principal_arn": "principal_arn"},
    ),
    "aws_iam_role_policy": (ROLE, {"name": "role"}),
    "aws_iam_role_policy_attachment": (ROLE, {"name": "role"}),
}
# Attributes that identify a resource.
ARNS = ("arn", "access_entry_arn", "association_arn", "dashboard_arn", "id")
# ARNs of resources that have none among their attributes.
UNMARKED: Mapping[str, str] = {
    "aws_nat_gateway": "arn:{partition}:ec2:{region}:{account}:natgateway/{id}",
}
# Resources that a call needs here although AWS calls them optional.
ALSO: Mapping[str, Sequence[str]] = {
    "wafv2:AssociateWebACL": ("loadbalancer/app/",),
    "wafv2:DisassociateWebACL": ("loadbalancer/app/",),
    "ec2:AuthorizeSecurityGroupEgress": ("security-group-rule",),
    "ec2:AuthorizeSecurityGroupIngress": ("security-group-rule",),
}
TAGS = re.compile(r"Tag")
UNTAGS = re.compile(r"Untag|DeleteTags|RemoveTags")
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d+:role/.+")
ROLE_ARGUMENT = re.compile(r"(^|_)role(_arn)?$")
# Operations of the SDK whose names differ from those of their actions, where the service model has them.
OPERATIONS = {
    "budgets:ModifyBudget": "CreateBudget",
    "budgets:ViewBudget": "DescribeBudget",
    "s3:GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "s3:GetBucketCORS": "GetBucketCors",
    "s3:GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "s3:GetReplicationConfiguration": "GetBucketReplication",
    "s3:ListBucket": "HeadBucket",
    "s3:PutBucketCORS": "PutBucketCors",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
    "s3:PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
}


@dataclass(frozen=True)
class Refused:
    """A request that AWS refuses, and the reason in AWS's words."""

    request: Request
    because: str


class Access:
    """The calls of one role of the account."""

    def __init__(self, cloud: Cloud, account: Account, role: Object) -> None:
        self.cloud = cloud
        self.account = account
        self.role = str(role["name"])
        self.identity = identity(cloud, role)

    @classmethod
    def of(cls, name: str, cloud: Cloud, account: Account) -> Access | None:
        """The role called `name`, or the one whose name ends with `-<name>`; None if the account has no such
        role yet, and then nothing is refused. Raises ValueError if several roles match."""
        if not name or not cloud.remembers:
            return None
        roles = {str(role.get("name")): role for role in cloud.all(ROLE)}
        matches = [name] if name in roles else sorted(role for role in roles if role.endswith(f"-{name}"))
        if len(matches) > 1:
            raise ValueError(
                f"REHEARSAL_AS={name} could be {', '.join(matches)}: write the whole name of the role"
            )
        return cls(cloud, account, roles[matches[0]]) if matches else None

    def refusal(self, type_name: str, when: str, prior: Object | None, planned: Object | None) -> Any:
        """An error diagnostic for the first call that AWS refuses; None when it allows them all. `type_name`
        begins with `data.` or `ephemeral.` for these, `when` is read, create, update or delete."""
        refused = self.refused(type_name, when, prior, planned)
        return self._error(type_name, when, refused) if refused else None

    def refused(
        self, type_name: str, when: str, prior: Object | None, planned: Object | None
    ) -> Refused | None:
        """The first request that AWS refuses."""
        for choice in self.requests(type_name, when, prior, planned):
            refusals = [(request, self.identity.refusal(request)) for request in choice]
            if refusals and all(because for _, because in refusals):
                return Refused(*refusals[0])
        return None

    def requests(
        self, type_name: str, when: str, prior: Object | None, planned: Object | None
    ) -> Iterator[list[Request]]:
        """The requests of one operation. Of several alternatives one must be allowed: it is unknown which of
        them the call makes."""
        facts = actions.calls().get(type_name)
        if facts is None:
            return
        state = planned if prior is None else prior
        if state is None:
            return
        around = self._around(type_name, state)
        own = self._own(type_name, state)
        for action in _called(facts, when, prior, planned):
            for request in self._requests(action, type_name, own, around, when, prior, planned):
                yield _forms(request)
        if when in ("create", "update"):
            for arn in _roles(planned or {}) - (_roles(prior or {}) if when == "update" else set()):
                services = [f"{service}.{self.account.dns_suffix}" for service in facts.get("passes", [])]
                services += [f"{service}.amazonaws.com" for service in facts.get("passes", [])]
                yield [
                    Request(actions.PASS, arn, {"iam:passedtoservice": [service]}, ("iam:passedtoservice",))
                    for service in dict.fromkeys(services)
                ]

    def _requests(
        self,
        action: str,
        type_name: str,
        own: Thing | None,
        around: Sequence[Object],
        when: str,
        prior: Object | None,
        planned: Object | None,
    ) -> Iterator[Request]:
        reference = actions.load()
        service = action.partition(":")[0]
        if action not in reference["actions"]:
            return
        context, known = self._context(action, type_name, own, around, planned or prior or {})
        given = _tags(planned) if planned else {}
        if UNTAGS.search(action) or when == "delete":
            given = {}
        facts = actions.calls()[type_name]
        call = Call(
            action,
            own,
            creates=when == "create" and not facts.get("exists"),
            kinds=ALSO.get(action, ()),
            tags={key: value for key, value in given.items() if isinstance(value, str)},
            context=context,
            known=known,
        )
        region = around[0].get("region")
        region = region if isinstance(region, str) and region else self.account.region
        if service in GLOBAL and self.account.partition == "aws":
            region = "us-east-1"
        yield from requests(
            call,
            reference["actions"][action],
            reference["resources"].get(service, {}),
            region,
            lambda kind, raw: self._find(kind, raw, around, region),
        )

    def _around(self, type_name: str, state: Object) -> list[Object]:
        """The state of a resource, and of its owners."""
        if type_name not in BELONGS:
            return [state]
        owner_type, pairs = BELONGS[type_name]
        return [
            state,
            *(
                owner
                for owner in self.cloud.all(owner_type)
                if all(owner.get(its) == state.get(mine) for its, mine in pairs.items())
            ),
        ]

    def _own(self, type_name: str, state: Object) -> Thing | None:
        """The resource itself."""
        if type_name in UNMARKED:
            fixed = {"partition": self.account.partition, "account": self.account.id}
            arn = UNMARKED[type_name].format_map({**fixed, "region": self.account.region, **state})
            return Thing(arn, _tags(state) if "tags_all" in state else None)
        for name in ARNS[:-1]:
            if isinstance(state.get(name), str) and state[name]:
                return Thing(state[name], _tags(state)) if "tags_all" in state else self._thing(state[name])
        return None

    def _thing(self, arn: str) -> Thing:
        for state in self.cloud.having(arn):
            if state.get("arn") == arn and "tags_all" in state:
                return Thing(arn, _tags(state))
        return Thing(arn)

    def _find(self, kind: str, raw: str, around: Sequence[Object], region: str) -> list[Thing]:
        """The things of a kind that a resource names, by ARN or by the parts of one."""
        pattern = re.compile(shape(raw))
        known = [text for state in around for text in _texts(state) if pattern.fullmatch(text)]
        if not known:
            known = self._filled(kind, raw, around[0], region)
        return [self._thing(arn) for arn in dict.fromkeys(known)]

    def _filled(self, kind: str, raw: str, state: Object, region: str) -> list[str]:
        """ARNs whose parts are arguments; none if a part is unknown."""
        fixed = {"Partition": self.account.partition, "Region": region, "Account": self.account.id}
        texts = [re.sub(r"\$\{(Partition|Region|Account)\}", lambda part: fixed[part[1]], raw)]
        for word in re.findall(r"\$\{(\w+)\}", texts[0]):
            values = _values(state, kind, word)
            texts = [text.replace(f"${{{word}}}", value) for text in texts for value in values]
        return texts

    def _context(
        self, action: str, type_name: str, own: Thing | None, around: Sequence[Object], state: Object
    ) -> tuple[dict[str, list[str]], list[str]]:
        """The keys that only some services have, and which of them are known."""
        context: dict[str, list[str]] = {}
        known: list[str] = []
        if type_name.startswith(ROLE):
            role = state if type_name == ROLE else around[1] if len(around) > 1 else None
            if role is not None:
                known.append("iam:permissionsboundary")
                if role.get("permissions_boundary"):
                    context["iam:permissionsboundary"] = [role["permissions_boundary"]]
        if isinstance(state.get("policy_arn"), str):
            known.append("iam:policyarn")
            context["iam:policyarn"] = [state["policy_arn"]]
        if isinstance(state.get("aws_service_name"), str):
            known.append("iam:awsservicename")
            context["iam:awsservicename"] = [state["aws_service_name"]]
        if type_name == "aws_route53_record" and isinstance(state.get("name"), str):
            prefix = "route53:changeresourcerecordsets"
            known.append(prefix)
            name = state["name"].rstrip(".").lower().replace("*", "\\052")
            context[f"{prefix}normalizedrecordnames"] = [name]
            context[f"{prefix}recordtypes"] = [str(state.get("type"))]
            known.remove(prefix)
            known += [f"{prefix}normalizedrecordnames", f"{prefix}recordtypes"]
        if action.startswith("kms:"):
            known += ["kms:resourcealiases", "kms:viaservice"]
            keys = {text.rpartition("/")[2] for text in _texts(around[0]) if ":key/" in text}
            aliases = [
                str(alias.get("name"))
                for alias in self.cloud.all(ALIAS)
                if str(alias.get("target_key_arn")).rpartition("/")[2] in keys
            ]
            if aliases:
                context["kms:resourcealiases"] = aliases
        return context, known

    def _error(self, type_name: str, when: str, refused: Refused) -> Any:
        """The error as terraform prints it, and the remedy."""
        action, arn = refused.request.action, refused.request.resource
        service, _, name = action.partition(":")
        about = actions.load()["services"].get(service, {"id": service, "code": "AccessDenied"})
        identifier = "DocDB" if type_name.startswith("aws_docdb_") else about["id"]
        user = f"arn:{self.account.partition}:sts::{self.account.id}:assumed-role/{self.role}/{SESSION}"
        first = (
            "You are not authorized to perform this operation. " if about["code"].startswith("Unauth") else ""
        )
        summary = (
            f"{DOING[when]} {type_name}: operation error {identifier}: {OPERATIONS.get(action, name)},"
            f" api error {about['code']}: {first}User: {user} is not authorized to perform: {action}"
            f" on resource: {arn} {refused.because}"
        )
        detail = (
            f"AccessDenied: the rehearsal answers as AWS would to the role {self.role} (REHEARSAL_AS)."
            f" Allow {action} on {arn} in a policy of the role, and in its permissions boundary where it has"
            " one; or run the command without REHEARSAL_AS, as an administrator."
        )
        return error(summary, detail)


def identity(cloud: Cloud, role: Object) -> Identity:
    """A role of the account with its inline and attached policies and its boundary."""
    name = role.get("name")
    known = {policy.get("arn"): policy.get("policy") for policy in cloud.all(POLICY)}
    texts = [
        policy.get("policy") for policy in cloud.all("aws_iam_role_policy") if policy.get("role") == name
    ]
    texts += [policy.get("policy") for policy in role.get("inline_policy") or [] if isinstance(policy, dict)]
    attached = [
        attachment.get("policy_arn")
        for attachment in cloud.all("aws_iam_role_policy_attachment")
        if attachment.get("role") == name
    ]
    attached += [
        attachment.get("policy_arn")
        for attachment in cloud.all("aws_iam_policy_attachment")
        if name in (attachment.get("roles") or [])
    ]
    attached += role.get("managed_policy_arns") or []
    texts += [known.get(arn) for arn in dict.fromkeys(attached)]
    policies = [_document(text) for text in texts if text]
    boundary = role.get("permissions_boundary")
    limit = _document(known.get(boundary)) if boundary else None
    return Identity(
        [policy for policy in policies if policy],
        limit,
        unread=any(arn not in known for arn in attached) or None in policies,
    )


def _document(text: Any) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _called(
    facts: Mapping[str, Any], when: str, prior: Object | None, planned: Object | None
) -> Iterator[str]:
    """The actions that an operation certainly calls."""
    only = facts.get("only", {}).get(when, {})
    for action in facts.get(when, []):
        if action in only and not any(_concerns(entry, when, prior, planned) for entry in only[action]):
            continue
        if TAGS.search(action) and when in ("create", "update") and not facts.get("exists"):
            before, after = _tags(prior or {}), _tags(planned or {})
            gone, new = before.keys() - after.keys(), after.items() - before.items()
            if not (gone if UNTAGS.search(action) else new):
                continue
        elif when == "update" and action not in only and not _changed(prior or {}, planned or {}):
            continue
        yield action


def _concerns(argument: str, when: str, prior: Object | None, planned: Object | None) -> bool:
    """Whether an operation is about an argument: an update changes it, else it is given; `!` means not."""
    if argument.startswith("!"):
        return not _concerns(argument[1:], when, prior, planned)
    before, after = (prior or {}).get(argument), (planned or {}).get(argument)
    if when == "update":
        return before != after and after is not UNKNOWN
    value = after if when == "create" else before
    return value not in (None, "", [], {}, False)


def _changed(prior: Object, planned: Object) -> bool:
    """Whether anything known changes besides tags."""
    return any(
        value is not UNKNOWN and prior.get(name) != value
        for name, value in planned.items()
        if name not in ("tags", "tags_all", "timeouts")
    )


def _forms(request: Request) -> list[Request]:
    """In some calls the ARN of a log group ends with a star (service authorization reference, Logs)."""
    if request.action.startswith("logs:") and ":log-group:" in request.resource:
        return [request, Request(request.action, f"{request.resource}:*", request.context, request.known)]
    return [request]


def _tags(state: Object) -> dict[str, Any]:
    tags = state.get("tags_all")
    return tags if isinstance(tags, dict) else {}


def _values(state: Object, kind: str, word: str) -> list[str]:
    """The values that the arguments give to a part of an ARN."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()
    names: Iterable[str] = ARGUMENTS.get(kind) or ARGUMENTS.get(word) or (() if word in UNNAMED else (plain,))
    for name in names:
        texts = [text for text in listed(state.get(name)) if isinstance(text, str) and text]
        if texts:
            return texts
    return []


def _texts(value: Any) -> Iterator[str]:
    """Every text in a state."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


def _roles(state: Any) -> set[str]:
    """The roles that a resource is given."""
    roles: set[str] = set()
    if isinstance(state, list):
        return roles.union(*(_roles(member) for member in state))
    for name, value in state.items() if isinstance(state, dict) else ():
        if isinstance(value, str) and ROLE_ARGUMENT.search(name) and ROLE_ARN.fullmatch(value):
            roles.add(value)
        elif isinstance(value, dict | list):
            roles |= _roles(value)
    return roles
