"""Tests of the tool that extracts argument checks from the provider's Go sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import judged
from tools.go import read_package
from tools.provider_checks import Reader, Unknown, pattern, refers, types, widened

SOURCE = """
package sample

import (
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

const nameKey = "name"

var validName = validation.All(
	validation.StringLenBetween(1, 2*16),
	validation.StringMatch(regexache.MustCompile(`^[[:alnum:]]+$`), "letters"),
)

// @SDKResource("aws_sample_thing", name="Thing")
func resourceThing() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			nameKey: {
				Type:          schema.TypeString,
				ConflictsWith: []string{"name_prefix"},
				ValidateFunc:  validName,
			},
			names.AttrARN: {Type: schema.TypeString, ValidateFunc: verify.ValidARN},
			"usage": {
				Type:             schema.TypeString,
				ValidateDiagFunc: enum.Validate[types.KeyUsageType](),
			},
			"level": {
				Type:         schema.TypeString,
				ValidateFunc: validation.StringInSlice([]string{"low", "high"}, false),
			},
			"rule": ruleSchema(),
			"port": {
				Type: schema.TypeInt,
				// a comment, with "quotes" and a brace {
				ValidateFunc: validPort,
			},
		},
	}
}

func ruleSchema() *schema.Schema {
	return &schema.Schema{
		Type:     schema.TypeList,
		MinItems: 2,
		Elem: &schema.Resource{
			Schema: map[string]*schema.Schema{
				"cidr": {
					Type: schema.TypeList,
					Elem: &schema.Schema{Type: schema.TypeString, ValidateFunc: validation.IsCIDR},
				},
			},
		},
	}
}

func validPort(v interface{}, k string) (ws []string, errors []error) {
	value := v.(int)
	if value < 1 || value > 65535 {
		errors = append(errors, fmt.Errorf("%q must be a port", k))
	}
	return
}
"""


def test_checks_are_read_through_constants_functions_and_blocks(tmp_path: Path) -> None:
    (tmp_path / "thing.go").write_text(SOURCE)
    package = read_package(tmp_path)
    ((kind, name, entry),) = types(package, Reader(package, {"AttrARN": "arn"}), "internal/service/sample")
    assert (kind, name, entry.source) == ("resource", "aws_sample_thing", "internal/service/sample/thing.go")
    (usage,) = entry.checks.pop("usage")
    assert "ENCRYPT_DECRYPT" in usage["enum"]
    assert {path: rules for path, rules in entry.checks.items() if rules} == {
        "name": [{"length": [1, 32]}, {"match": r"^[0-9A-Za-z]+\Z"}],
        "arn": [{"is": "arn"}],
        "rule": [{"items": [2, None]}],
        "rule.cidr": [{"is": "address_cidr"}],
        "port": [{"range": [1, 65535]}],
    }
    assert entry.groups == {"conflicts": [["name", "name_prefix"]]}


def test_lists_that_aws_may_extend_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "thing.go").write_text(SOURCE)
    package = read_package(tmp_path)
    ((_, _, entry),) = types(package, Reader(package, {}), "internal/service/sample")
    assert "level" not in entry.checks


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ({"range": [100, 2000]}, "limit", {"range": [1, 2000000000]}),  # the current model of WAF allows more
        ({"range": [125, 1000]}, "throughput", None),
        ({"range": [0, 35]}, "retention", {"range": [0, None]}),
        ({"range": [1, 65535]}, "first", {"range": [1, 65535]}),
    ],
)
def test_limits_come_from_the_api_model_or_are_natural(rule: object, path: str, expected: object) -> None:
    assert widened(rule, path, "wafv2") == expected  # type: ignore[arg-type]


def test_patterns_of_go_keep_their_meaning() -> None:
    assert pattern("^[[:lower:]$]$") == r"^[a-z$]\Z"
    with pytest.raises(Unknown):
        pattern(r"^\p{L}+$")


def test_formats_of_generated_ids_are_not_checked() -> None:
    assert refers("aws_eks_node_group", "launch_template.id")
    assert refers("aws_appsync_resolver", "api_id")
    assert not refers("aws_elasticache_replication_group", "replication_group_id")
    assert not refers("aws_lb", "name")


def test_the_docs_state_the_number_of_checks() -> None:
    assert judged.page() == judged.PAGE.read_text(encoding="utf-8"), "run python -m tools.judged"
