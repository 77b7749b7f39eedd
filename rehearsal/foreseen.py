"""Values that a plan contains beyond the facts, because the provider computes them before it calls AWS.

Sources, of hashicorp/terraform-provider-aws: internal/service/acm/certificate.go, CustomizeDiff; windows are
in lower case by StateFunc: internal/service/rds/instance.go and internal/service/elasticache/cluster.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.protocol import UNKNOWN, Object

CERTIFICATE = "aws_acm_certificate"
PROOFS, NAMES = "domain_validation_options", "subject_alternative_names"
WINDOWS = ("maintenance_window", "preferred_maintenance_window", "weekly_maintenance_start_time")


def foreseen(type_name: str, prior: Mapping[str, Any] | None, planned: Object) -> Object:
    """The arguments whose values are known although AWS decides them."""
    if type_name == CERTIFICATE:
        return _certificate(prior or {}, planned)
    before = {name: (prior or {}).get(name) for name in WINDOWS if isinstance(planned.get(name), str)}
    return {
        name: value
        for name, value in before.items()
        if isinstance(value, str) and value.lower() == planned[name].lower()
    }


def _certificate(prior: Mapping[str, Any], planned: Object) -> Object:
    """The names of a certificate include its domain, and each has one validation record, which ACM
    chooses."""
    domain, others = planned.get("domain_name"), planned.get(NAMES)
    others = [] if others is None or (others is UNKNOWN and not prior) else others
    if not isinstance(domain, str) or others is UNKNOWN or UNKNOWN in others:
        return {}
    names = sorted({domain, *others})
    if names == sorted(prior.get(NAMES) or []) and domain == prior.get("domain_name"):
        return {NAMES: prior[NAMES]}
    if planned.get("validation_method") != "DNS":
        return {NAMES: names}
    record = dict.fromkeys(("resource_record_name", "resource_record_type", "resource_record_value"), UNKNOWN)
    return {NAMES: names, PROOFS: [{"domain_name": name, **record} for name in names]}
