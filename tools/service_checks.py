"""AWS's checks of arguments, for types that `tools/provider_checks.py` has no rules about.

`python -m tools.service_checks` writes `rehearsal/rules/models.json.gz` from botocore's service models, by
name: `aws_<service>_<noun>` is made by the service's operation Create<Noun>, Put<Noun> or Register<Noun>, and
an argument is the member of its input that has the same name. Only texts and numbers at the top are
mapped: values of an enumeration, lengths, ranges and patterns. What has another name or form is left out.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from rehearsal.catalog import Catalog, Type, catalog_path
from rehearsal.checks import MODELS, read_generated, usable, write_generated
from tierra.aws import service_models
from tierra.bindings.schema import Attribute
from tools import models
from tools.provider_checks import Unknown, of_form, pattern, refers

# Prefixes of types that are not the name of a service's folder, and its name in botocore.
SERVICES = {
    "aws_appautoscaling_": "application-autoscaling",
    "aws_apprunner_": "apprunner",
    "aws_bedrockagent_": "bedrock-agent",
    "aws_bedrockagentcore_": "bedrock-agentcore-control",
    "aws_cloudwatch_event_": "events",
    "aws_cloudwatch_log_": "logs",
    "aws_cloudwatch_query_": "logs",
    "aws_cognito_": "cognito-idp",
    "aws_dx_": "directconnect",
    "aws_docdb_": "docdb",
    "aws_elastic_beanstalk_": "elasticbeanstalk",
    "aws_lb_": "elbv2",
    "aws_lex_": "lexv2-models",
    "aws_lexv2models_": "lexv2-models",
    "aws_networkmonitor_": "networkmonitor",
    "aws_prometheus_": "amp",
    "aws_sfn_": "stepfunctions",
    "aws_vpclattice_": "vpc-lattice",
    "aws_vpc_": "ec2",
}
VERBS = ("Create", "Put", "Register")
# Members with the name of an argument but another meaning or another format.
LEFT_OUT = ("tags", "region", "id", "arn", "policy", "type")


def folder_of(name: str) -> tuple[str, str] | None:
    """The folder of a type's service, and the type's noun."""
    begun = [prefix for prefix in SERVICES if name.startswith(prefix)]
    if begun:
        longest = max(begun, key=len)
        return SERVICES[longest], name.removeprefix(longest)
    for folder in sorted(service_models.files(), key=len, reverse=True):
        for word in {folder.replace("-", "_"), folder.replace("-", "")}:
            if name.startswith(f"aws_{word}_"):
                return folder, name.removeprefix(f"aws_{word}_")
    return None


def members(folder: str, noun: str) -> tuple[str, dict[str, dict[str, Any]]] | None:
    """The operation that creates a noun, and the shapes of its input's members by name in lower case."""
    shapes = models.shapes(folder)
    operations = json.loads(models.text(folder))["operations"]
    by_name = {name.lower(): operation for name, operation in operations.items()}
    for verb in VERBS:
        operation = by_name.get(f"{verb}{noun}".replace("_", "").lower())
        if operation and "input" in operation:
            input_ = shapes[operation["input"]["shape"]].get("members", {})
            inputs = {name.lower(): shapes[target["shape"]] for name, target in input_.items()}
            return operation["name"], inputs
    return None


def rules(shape: dict[str, Any]) -> list[dict[str, Any]]:
    if shape["type"] == "string" and "enum" in shape:
        return [{"enum": shape["enum"]}]
    low, high = shape.get("min"), shape.get("max")
    key = {"string": "length", "integer": "range", "long": "range", "double": "range", "float": "range"}.get(
        shape["type"]
    )
    if key is None:
        return []
    result: list[dict[str, Any]] = [] if low is None and high is None else [{key: [low, high]}]
    if shape["type"] == "string" and "pattern" in shape:
        with suppress(Unknown):
            result.append({"match": pattern(shape["pattern"])})
    return result


def read(type_: Type) -> tuple[dict[str, Any], int]:
    """The checks of a type, and the number of its arguments that have a member."""
    placed = folder_of(type_.name)
    operation_and_shapes = members(*placed) if placed else None
    if not placed or not operation_and_shapes:
        return {}, 0
    operation, shapes = operation_and_shapes
    checks, mapped = {}, 0
    for name, attribute in type_.block.attributes.items():
        shape = shapes.get(name.replace("_", ""))
        if shape is None or name in LEFT_OUT or not _settable(attribute):
            continue
        mapped += 1
        judged = [rule for rule in rules(shape) if not (of_form(rule) and refers(type_.name, name))]
        if judged:
            checks[name] = judged
    source = f"API {operation} of {placed[0]}"
    return usable(type_.block, {"source": source, "checks": checks}), mapped


def _settable(attribute: Attribute) -> bool:
    return attribute.type in ("string", "number") and (attribute.required or attribute.optional)


def main() -> int:
    known = read_generated()["resource"]
    types = Catalog(catalog_path()).load("aws", "resource")
    result: dict[str, Any] = {}
    arguments = mapped = 0
    for name, type_ in sorted(types.items()):
        if name in known:
            continue
        entry, members_ = read(type_)
        arguments += sum(_settable(attribute) for attribute in type_.block.attributes.values())
        mapped += members_
        if entry:
            result[name] = entry
    write_generated(MODELS, {"resource": result})
    judged = sum(len(entry["checks"]) for entry in result.values())
    sys.stdout.write(
        f"{len(types) - len(known)} types without checks of the provider: {len(result)} found in models,"
        f" {mapped} of {arguments} arguments mapped, {judged} judged\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
