"""Where nodes pull public images from: the registry itself, or the cache of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierra.terraform.stack import Stack

if TYPE_CHECKING:
    from modules.spec import Environment

# Registries of the images of the platform, and what each is called in the cache.
REGISTRIES = {
    "docker.io": "hub",
    "ghcr.io": "ghcr",
    "public.ecr.aws": "public",
    "quay.io": "quay",
    "registry.k8s.io": "k8s",
}


def upstreams(environment: Environment) -> dict[str, str | None]:
    """The registries that are cached, each with the secret of an account there where it wants one."""
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
    """What the repositories of a registry start with in the cache."""
    return stack.names.of("image_cache", f"cache/{REGISTRIES[registry]}")


def pulled_from(stack: Stack) -> dict[str, str]:
    """By registry, what takes its place in the name of an image."""
    environment = stack.environment
    own = f"{environment.account}.dkr.ecr.{environment.region}.{environment.dns_suffix}"
    cached = upstreams(environment)
    return {
        registry: f"{own}/{cache_prefix(stack, registry)}" if registry in cached else registry
        for registry in REGISTRIES
    }
