"""X-Ray: the sampling rule, and a group that monitors traces.

Encryption of traces is a setting of the whole account and region (aws_xray_encryption_config): X-Ray encrypts
with a key of AWS, and an environment must not change that for others.
"""

from __future__ import annotations

from cdktf_cdktf_provider_aws.xray_group import XrayGroup, XrayGroupInsightsConfiguration
from cdktf_cdktf_provider_aws.xray_sampling_rule import XraySamplingRule

from modules.edge.outputs import EdgeOutputs
from tierra.terraform.stack import Stack

PRIORITY = 1000  # leaves lower numbers for rules that an operator adds temporarily


def tracing(stack: Stack, edge: EdgeOutputs) -> None:
    """`aws_xray_sampling_rule.requests`: the first request of each second, and a share of the others.

    Only requests of users, by the host name: probes, and the other environments of an account, use the
    default rule of X-Ray.
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
