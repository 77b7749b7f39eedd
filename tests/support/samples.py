"""Sample data that pods send."""

from __future__ import annotations

from typing import Any

SAMPLES: dict[str, dict[str, Any]] = {
    "gateway/cluster": {
        "storageClass": {
            "name": "gp3",
            "keyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        },
        "gateway": {
            "namespace": "gateway",
            "loadBalancerRanges": ["10.20.192.0/24", "10.20.193.0/24"],
            "controlPlaneRanges": ["10.20.0.0/19", "10.20.32.0/19"],
            "serviceRange": "172.20.0.0/16",
        },
    },
    "observability/platform": {
        "namespace": "observability",
        "grafana": {"namespace": "grafana", "account": "grafana"},
        "secret": {
            "region": "us-east-1",
            "role": "arn:aws:iam::123456789012:role/it",
            "name": "it",
            "into": "it",
        },
        "words": {
            "environment": "acme-production",
            "gateway": "gateway",
            "runbooks": "https://runbooks.example.com",
        },
    },
    "observability/system": {
        "words": {
            "system": "sistema-1",
            "availability": "99.9",
            "fast": "99",
            "latency_ms": "1000",
            "max_replicas": "6",
            "runbooks": "https://runbooks.example.com",
        },
    },
    "systems/databases": {
        "namespace": "databases",
        "region": "us-east-1",
        "readerRoleArn": "arn:aws:iam::123456789012:role/it",
        "ranges": ["10.20.8.0/24"],
        "masters": {
            "postgres": {"secretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:it", "into": "it"}
        },
    },
    "own/own-namespace": {"name": "123", "podSecurity": "privileged", "collectsMetrics": True},
    "systems/namespace": {"system": "shop", "port": 8000, "region": "us-east-1"},
    "systems/chart": {"system": "shop", "image": "none", "path": "/shop", "port": 8000},
}
