"""Route 53: records, hosted zones, query logs."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from rehearsal.refusals.documents import admits
from rehearsal.refusals.rules import (
    CREATE,
    DELETE,
    Rule,
    blocks,
    changed,
    find_object,
    others,
    region_of,
    texts,
)
from tierra.aws.transition_answers import Around, Values

ZONE, RECORD = "aws_route53_zone", "aws_route53_record"
LOG_POLICY = "aws_cloudwatch_log_resource_policy"


def full_name(record: Values, zone: str) -> str:
    """The name as the provider sends it: below the zone, in lower case, without the last dot."""
    name, top = str(record.get("name") or "").rstrip(".").lower(), zone.rstrip(".").lower()
    if not name:
        return top
    return name if name == top or name.endswith(f".{top}") else f"{name}.{top}"


def zone_of(now: Values, around: Around) -> str | None:
    zone = find_object(around, ZONE, "zone_id", now.get("zone_id")) or find_object(
        around, ZONE, "id", now.get("zone_id")
    )
    name = zone and zone.get("name")
    return name if isinstance(name, str) else None


def beside(now: Values, around: Around, zone: str) -> list[Values]:
    """Records of the same name."""
    mine = full_name(now, zone)
    return [
        record
        for record in others(around, RECORD, now, everywhere=True)
        if record.get("zone_id") == now.get("zone_id") and full_name(record, zone) == mine
    ]


def _same_words(now: Values, around: Around) -> str:
    """The error if another record set of an external zone has the same name, as far as it is given."""

    def named(record: Values) -> list[Any]:
        name = str(record.get("name")).rstrip(".").lower()
        return [record.get("zone_id"), name, record.get("type"), record.get("set_identifier") or None]

    mine = named(now)
    if not all(part is None or isinstance(part, str) for part in mine):
        return ""
    if mine not in [named(record) for record in others(around, "aws_route53_record", now)]:
        return ""
    return (
        f"InvalidChangeBatch: [Tried to create resource record set [name='{mine[1]}.', type='{mine[2]}'] but"
        " it already exists]"
    )


def same_record(_was: Values, now: Values, around: Around) -> str:
    zone = zone_of(now, around)
    if now.get("allow_overwrite") is True or (zone is None and not isinstance(now.get("name"), str)):
        return ""
    if zone is None:
        return _same_words(now, around)
    name, kind = full_name(now, zone), now.get("type")
    own = now.get("set_identifier") if isinstance(now.get("set_identifier"), str) else None
    for record in beside(now, around, zone):
        its = record.get("set_identifier") or None
        if record.get("type") != kind:
            continue
        if its == (own or None):
            return (
                f"InvalidChangeBatch: [Tried to create resource record set [name='{name}.', type='{kind}']"
                " but it"
                " already exists]"
            )
        if its is None or not own:
            return (
                f"InvalidChangeBatch: [RRSet with DNS name {name}., type {kind}, SetIdentifier {own} cannot"
                " be"
                " created as other RRSets exist with the same name and type.]"
            )
    if kind in ("NS", "SOA") and name == zone.rstrip(".").lower():
        return (
            f"InvalidChangeBatch: [Tried to create resource record set [name='{name}.', type='{kind}'] but it"
            " already exists]"
        )
    return ""


def cname(_was: Values, now: Values, around: Around) -> str:
    zone = zone_of(now, around) or ""
    name, kind, top = full_name(now, zone), now.get("type"), zone.rstrip(".").lower()
    if not zone and not isinstance(now.get("name"), str):
        return ""
    if zone and kind == "CNAME" and name == top:
        return (
            f"InvalidChangeBatch: [RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone"
            f" {top}.]"
        )
    for record in beside(now, around, zone):
        its = record.get("type")
        if its != kind and "CNAME" in (its, kind):
            return (
                f"InvalidChangeBatch: [RRSet of type {kind} with DNS name {name}. is not permitted because a"
                f" conflicting RRSet of type {its} with the same DNS name already exists in zone {top}.]"
            )
    return ""


def _wrong(kind: Any, value: str) -> str:
    try:
        if kind == "A":
            IPv4Address(value)
        if kind == "AAAA":
            IPv6Address(value)
    except (AddressValueError, ValueError):
        if kind == "A":
            return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    if kind == "CAA" and not re.fullmatch(r'\d{1,3}\s+[0-9A-Za-z]+\s+("[^"]*"|\S+)', value.strip()):
        return "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)"
    if kind == "MX" and not re.fullmatch(r"\d+\s+\S+", value.strip()):
        return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
    return ""


def values(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "records", "type"):
        return ""
    listed = texts(now.get("records"))
    if now.get("type") == "CNAME" and len(listed) > 1:
        return "InvalidChangeBatch: [Invalid Resource Record: a CNAME record has one value]"
    for text in listed:
        if wrong := _wrong(now.get("type"), text):
            return (
                f"InvalidChangeBatch: [Invalid Resource Record: 'FATAL problem: {wrong} encountered with"
                f" '{text}'']"
            )
    return ""


def same_zone(_was: Values, now: Values, around: Around) -> str:
    mine = {str(vpc.get("vpc_id")) for vpc in blocks(now, "vpc")}
    for zone in others(around, ZONE, now, everywhere=True):
        its = {str(vpc.get("vpc_id")) for vpc in blocks(zone, "vpc")}
        if mine & its and str(zone.get("name")).rstrip(".") == str(now.get("name")).rstrip("."):
            return (
                f"ConflictingDomainExists: The VPC {min(mine & its)} has already been associated with the"
                " hosted"
                f" zone {zone.get('zone_id')} with the same domain name."
            )
    return ""


def zone_used(was: Values, _now: Values, around: Around) -> str:
    if was.get("force_destroy") is True:
        return ""
    own = {was.get("zone_id"), was.get("id")} - {None}
    if not any(record.get("zone_id") in own for record in around(RECORD)):
        return ""
    return (
        "HostedZoneNotEmpty: The specified hosted zone contains non-required resource record sets and so"
        " cannot"
        " be deleted."
    )


def query_log(_was: Values, now: Values, around: Around) -> str:
    arn = now.get("cloudwatch_log_group_arn")
    if region_of(arn) not in ("", "us-east-1"):
        return "InvalidInput: The log group of a query log must be in us-east-1"
    group = find_object(around, "aws_cloudwatch_log_group", "arn", str(arn).removesuffix(":*"))
    if group is None:
        return ""
    wanted = ("logs:CreateLogStream", "logs:PutLogEvents")
    policies = [
        policy for policy in around(LOG_POLICY) if policy.get("region") in (None, group.get("region"))
    ]
    if any(admits(policy.get("policy_document"), ("route53.amazonaws.com",), *wanted) for policy in policies):
        return ""
    return (
        "InsufficientCloudWatchLogsResourcePolicy: The resource policy for CloudWatch Logs does not allow"
        " Route 53"
        f" to write to {arn}"
    )


API = "API route53, "
RULES = (
    Rule(
        "same_record",
        (RECORD,),
        "a record set must be unique, and its routing policies must not be mixed; NS and SOA of a zone"
        " exist already",
        API + "ChangeResourceRecordSets, InvalidChangeBatch",
        same_record,
        CREATE,
    ),
    Rule(
        "cname",
        (RECORD,),
        "a CNAME must not be at the apex, and must be the only record of its name",
        API + "ChangeResourceRecordSets, InvalidChangeBatch;"
        " page Route53/latest/DeveloperGuide/ResourceRecordTypes.html, CNAME",
        cname,
        CREATE,
    ),
    Rule(
        "values",
        (RECORD,),
        "values of A, AAAA, CNAME and MX records must be well formed",
        API + "ChangeResourceRecordSets, InvalidChangeBatch;"
        " page Route53/latest/DeveloperGuide/ResourceRecordTypes.html",
        values,
    ),
    Rule(
        "same_zone",
        (ZONE,),
        "a VPC must have at most one private zone with a name",
        API + "CreateHostedZone, ConflictingDomainExists",
        same_zone,
        CREATE,
    ),
    Rule(
        "query_log",
        ("aws_route53_query_log",),
        "queries must be logged in us-east-1, to a log group whose resource policy lets Route 53 write",
        API + "CreateQueryLoggingConfig, InsufficientCloudWatchLogsResourcePolicy",
        query_log,
        CREATE,
    ),
    Rule(
        "zone_used",
        (ZONE,),
        "a zone with records must not be deleted without force_destroy",
        API + "DeleteHostedZone, HostedZoneNotEmpty",
        zone_used,
        DELETE,
    ),
)
