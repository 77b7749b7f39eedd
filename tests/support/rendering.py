"""Renders the project's own charts with real helm and validates the objects by the Kubernetes schemas."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from conftest import ROOT
from kubernetes_validate import utils

from support import reading
from tierra.terraform.templating import TEMPLATES

HELM = ROOT / ".venv/bin/helm"
KUBERNETES = "1.36"
# Custom resources, for which Kubernetes has no schema.
BROUGHT = ("configuration.konghq.com", "external-secrets.io", "monitoring.coreos.com")

# It reads the definitions of all kinds for every object.
utils.schema_contents = cache(utils.schema_contents)

Objects = dict[str, dict[str, Any]]


def sample(text: str) -> dict[str, Any]:
    """Values of a release, written as JSON, with a sample in place of each reference."""
    values: dict[str, Any] = json.loads(
        re.sub(r"(?<!\$)\$\{[^}]*\}", "arn:aws:iam::123456789012:role/it", text)
        .replace("$${", "${")
        .replace("%%{", "%{")
    )
    return values


def accepted(document: dict[str, Any]) -> None:
    """Validates an object if Kubernetes has a schema for its kind. Raises ValidationError."""
    if not document["apiVersion"].startswith(BROUGHT):
        utils.validate(document, KUBERNETES, strict=True)


def rendered(
    chart: str,
    given: dict[str, Any],
    folder: Path,
    namespace: str = "default",
    options: Sequence[str] = (),
) -> Objects:
    """The rendered objects of a chart by kind and name, which the Kubernetes schemas accept."""
    file = folder / "values.json"
    file.write_text(json.dumps(given))
    ended = subprocess.run(
        [HELM, "template", "it", str(TEMPLATES / chart), "-f", str(file), "--namespace", namespace, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    documents = list(reading.documents(ended.stdout))
    for document in documents:
        accepted(document)
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in documents}
