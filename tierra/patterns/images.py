"""The registries from which nodes pull public images: the public ones, or the cache of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierra.terraform.stack import Stack

if TYPE_CHECKING:
    from modules.spec import Environment

# Registries of the images of the platform, with their names in the cache.
REGISTRIES = {
    "docker.io": "hub",
    "ghcr.io": "ghcr",
    "public.ecr.aws": "public",
    "quay.io": "quay",
    "registry.k8s.io": "k8s",
}


def upstreams(environment: Environment) -> dict[str, str | None]:
    """The cached registries, each with the secret of its account if it requires one."""
    cache = environment.compute.image_cache
    if not cache.enabled:
        return {}
    secrets = {"docker.io": cache.docker_hub, "ghcr.io": cache.github}
    return {
        registry: secrets.get(registry)
        for registry in REGISTRIES
        if registry not in secrets or secrets[registry]
    }


def cache_prefix(stack: Stack, registry: str) -> str:
    """The prefix of the repositories of a registry in the cache."""
    return stack.names.of("image_cache", f"cache/{REGISTRIES[registry]}")


def pulled_from(stack: Stack) -> dict[str, str]:
    """The replacement of each registry in the names of images."""
    environment = stack.environment
    own = f"{environment.account}.dkr.ecr.{environment.region}.{environment.dns_suffix}"
    cached = upstreams(environment)
    return {
        registry: f"{own}/{cache_prefix(stack, registry)}" if registry in cached else registry
        for registry in REGISTRIES
    }
