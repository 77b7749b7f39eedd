"""Conflicts of own Terraform with generated Terraform, and outputs that no tier has."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from modules.own.blocks import TYPED, Block
from modules.own.charts import in_texts
from modules.own.terraform import PREFIX, Own, OwnError
from tierra.validation.errors import Problem
from tierra.validation.messages import choices, dotted

BUILT_IN = "terraform"  # the provider of terraform_data


def check(own: Mapping[str, Own], generated: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises OwnError if own Terraform conflicts with generated Terraform, or reads outputs that do not
    exist."""
    problems: dict[str, list[Problem]] = {}
    for tier, tier_own in own.items():
        if tier in generated:
            for file, problem in (
                *_clashes(tier_own, generated[tier]),
                *_missing(tier_own, own, generated),
                *_in_texts(tier_own, own, generated),
            ):
                problems.setdefault(file, []).append(problem)
    if problems:
        raise OwnError(problems)


def _clashes(own: Own, body: Mapping[str, Any]) -> Iterator[tuple[str, Problem]]:
    providers = body["terraform"]["required_providers"]
    first: dict[str, Block] = {}
    for block in own.blocks:
        labels = block.labels
        if block.kind in (*TYPED, "output", "module", "variable", "check"):
            section = body.get(block.kind, {})
            for label in labels:
                section = section.get(label, {}) if isinstance(section, Mapping) else {}
            if section:
                rule = f"each name must be unique in a tier, and Tierra generates {block.address}"
                remedy = f"choose another name, such as {PREFIX}{labels[-1]}"
                yield block.file, Problem(block.address, "", rule, remedy, block.line)
            elif (earlier := first.setdefault(block.address, block)) is not block:
                rule = (
                    f"each name must be unique in a tier, and {earlier.file}:{earlier.line} declares this one"
                )
                yield block.file, Problem(block.address, "", rule, "rename one of them", block.line)
        provider = labels[0].partition("_")[0] if block.kind in TYPED else ""
        provider = labels[0] if block.kind == "provider" else provider
        if provider and provider not in (*providers, BUILT_IN):
            rule = f"the provider must be one of this tier: {choices(providers)}"
            remedy = (
                "move the file to gateway, systems or observability, which have helm"
                if provider == "helm"
                else "use one of these, or move this to a separate root module"
            )
            yield block.file, Problem(block.address, "", rule, remedy, block.line)


def _missing(
    own: Own, everywhere: Mapping[str, Own], generated: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Problem]]:
    for reading in own.readings:
        if reading.tier not in generated:
            continue  # only some tiers are synthesized
        declared = everywhere.get(reading.tier, Own()).blocks
        known = [
            *generated[reading.tier].get("output", {}),
            *(block.labels[0] for block in declared if block.kind == "output"),
        ]
        if reading.output not in known:
            near = difflib.get_close_matches(reading.output, known, n=1)
            path = f"data.terraform_remote_state.{reading.tier}.outputs.{reading.output}"
            rule = f"the output must exist, and {reading.tier} has no {reading.output}"
            remedy = (
                f"write {near[0]}"
                if near
                else f"use one of cdktf.out/<env>/stacks/{reading.tier}/cdk.tf.json, or declare it in an own"
                f" file of {reading.tier}"
            )
            yield reading.file, Problem(path, "", rule, remedy, reading.line)


def _in_texts(
    own: Own, everywhere: Mapping[str, Own], generated: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Problem]]:
    """Outputs inside a text of a chart's values that are not text themselves."""
    for release in own.releases:
        for path, tier, name in in_texts(release):
            declared = everywhere.get(tier, Own()).blocks
            outputs = {
                **generated.get(tier, {}).get("output", {}),
                **{block.labels[0]: block.body for block in declared if block.kind == "output"},
            }
            value = outputs.get(name, {}).get("value")
            if isinstance(value, (Mapping, list)):
                kind = "a list" if isinstance(value, list) else "a mapping"
                rule = f"an output within a text must be text or a number, and {name} of {tier} is {kind}"
                remedy = (
                    "write only the output as the value, or use one item of it in the helm_release of a file"
                    " *.tf"
                )
                line = release.document.line(path)
                yield release.file, Problem(dotted(path), release.document.shown(path), rule, remedy, line)
