"""Keys of `compute.image_cache:`: public images through ECR."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from modules.compute.secrets import CacheSecret
from tierra.validation.model import Model, Violation, rule


class ImageCache(Model):
    """Public images through ECR, the registry of the account."""

    enabled: bool = Field(
        default=False,
        description="Whether nodes pull public images through ECR, which fetches each image once and"
        " keeps it: those of public.ecr.aws, quay.io and registry.k8s.io, and those of Docker"
        " Hub and GitHub if they have a secret below.",
    )
    docker_hub: CacheSecret | None = Field(
        default=None,
        description="ARN of a secret with an account of Docker Hub. Without it, images of Kong and"
        " Grafana come directly from Docker Hub, which limits pulls per address.",
        examples=[
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"
        ],
    )
    github: CacheSecret | None = Field(
        default=None,
        description="ARN of a secret with an account of GitHub, for images of ghcr.io: External Secrets"
        " and the collector.",
        examples=["arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/github-AbCdEf"],
    )

    @rule("enabled", "docker_hub", "github")
    def secrets_are_for_a_cache(self) -> Iterator[Violation]:
        """Secrets of registries require the image cache."""
        for key in ("docker_hub", "github"):
            if getattr(self, key) and not self.enabled:
                yield Violation(
                    (key,),
                    "the image cache, which uses this secret, must be enabled",
                    "write enabled: true beside it, or remove the line",
                )
