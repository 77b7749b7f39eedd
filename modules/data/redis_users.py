"""The Redis user of the systems, which authenticates with IAM; there is no password."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.elasticache_user import ElasticacheUser, ElasticacheUserAuthenticationMode
from cdktf_cdktf_provider_aws.elasticache_user_group import ElasticacheUserGroup

from tierra.terraform.stack import Stack

# Valkey accepts user groups of both engines, Redis OSS only its own (ElastiCache user guide, "Role-Based
# Access Control"), so they are unchanged when a group changes to Valkey.
ENGINE = "redis"
# All keys, channels and commands; ElastiCache itself restricts dangerous commands, such as CONFIG.
EVERYTHING = "on ~* &* +@all"
NOTHING = "off ~* -@all"


@dataclass(frozen=True)
class Users:
    """`systems` is the user of the systems, which requires `elasticache:Connect` on its ARN and that of the
    group."""

    group: ElasticacheUserGroup
    systems: ElasticacheUser


def users(stack: Stack) -> Users:
    """`aws_elasticache_user.systems`, and a replacement without permissions for the user `default`: clients
    that name no user are refused."""
    name = stack.names.of("redis_user", "systems")
    systems = stack.add(
        ElasticacheUser,
        "systems",
        user_id=name,
        user_name=name,  # must equal the ID for IAM authentication
        access_string=EVERYTHING,
        engine=ENGINE,
        authentication_mode=ElasticacheUserAuthenticationMode(type="iam"),
        tags=stack.tags("redis-systems"),
    )
    off = stack.add(
        ElasticacheUser,
        "default",
        user_id=stack.names.of("redis_user", "default"),
        user_name="default",
        access_string=NOTHING,
        engine=ENGINE,
        # Not authentication_mode, which AWS returns in another form: a difference in every plan. The user is
        # disabled in either case.
        no_password_required=True,
        tags=stack.tags("redis-default"),
    )
    group = stack.add(
        ElasticacheUserGroup,
        "redis",
        user_group_id=stack.names.of("redis_group", "redis"),
        engine=ENGINE,
        user_ids=[systems.user_id, off.user_id],
        tags=stack.tags("redis"),
    )
    return Users(group, systems)
