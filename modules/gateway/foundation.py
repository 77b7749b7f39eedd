"""What stands in the cluster before the pods of this tier: namespaces, default volume, priority, a ban."""

from __future__ import annotations

import json

from cdktf_cdktf_provider_helm.release import Release

from modules.compute.outputs import ComputeOutputs
from modules.gateway.charts import SYSTEM
from modules.helm import release
from modules.stack import Stack

GATEWAY, SECRETS = "gateway", "external-secrets"
STORAGE_CLASS = "gp3"
PRIORITY_CLASS = "platform"


def foundation(stack: Stack, cluster: ComputeOutputs) -> Release:
    """`helm_release.foundation`, a chart of our own: templates/gateway/foundation."""
    values = {
        "namespaces": {"gateway": GATEWAY, "secrets": SECRETS},
        "priorityClass": PRIORITY_CLASS,
        "storageClass": {"name": STORAGE_CLASS, "key": cluster.ebs_key_arn},
    }
    return release(
        stack,
        "foundation",
        "gateway/foundation",
        name="foundation",
        namespace=SYSTEM,
        values=[json.dumps(values, indent=2)],
    )
