"""X-Ray: which requests are traced, and a group that monitors them.

The encryption of traces is a switch of the whole account and region (aws_xray_encryption_config): X-Ray
encrypts with a key of AWS, and an environment does not decide that for its neighbours.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.xray_group import XrayGroup, XrayGroupInsightsConfiguration
from cdktf_cdktf_provider_aws.xray_sampling_rule import XraySamplingRule

from modules.edge.outputs import EdgeOutputs
from tierra.terraform.stack import Stack

PRIORITY = 1000  # what an operator adds for an hour has room before it


def tracing(stack: Stack, edge: EdgeOutputs) -> None:
    """`aws_xray_sampling_rule.requests`: the first request of each second, and a share of the others.

    Of requests from users alone, by the name that they type: probes, and the other environments of an
    account, have X-Ray's own rule.
    """
    stack.add(
        XraySamplingRule,
        "requests",
        rule_name=stack.names.of("sampling_rule", "requests"),
        priority=PRIORITY,
        version=1,
        reservoir_size=1,
        fixed_rate=stack.environment.observability.trace_percent / 100,
        url_path="*",
        host=edge.domain,
        http_method="*",
        service_type="*",
        service_name="*",
        resource_arn="*",
        tags=stack.tags("requests"),
    )
    stack.add(
        XrayGroup,
        "requests",
        group_name=stack.names.of("trace_group", "requests"),
        filter_expression=f'http.url CONTAINS "{edge.domain}"',
        insights_configuration=XrayGroupInsightsConfiguration(
            insights_enabled=True, notifications_enabled=False
        ),
        tags=stack.tags("requests"),
    )
