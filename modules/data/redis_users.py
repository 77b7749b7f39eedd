"""The user of Redis, whom IAM authenticates. There is no password."""

from __future__ import annotations

from dataclasses import dataclass

from cdktf_cdktf_provider_aws.elasticache_user import ElasticacheUser, ElasticacheUserAuthenticationMode
from cdktf_cdktf_provider_aws.elasticache_user_group import ElasticacheUserGroup

from tierra.terraform.stack import Stack

# Valkey takes groups of users of both engines, Redis OSS its own only (ElastiCache user guide, "Role-Based
# Access Control"): so they stay as they are when a group changes to Valkey.
ENGINE = "redis"
# Every key, channel and command; ElastiCache itself keeps those that would harm a group, such as CONFIG.
EVERYTHING = "on ~* &* +@all"
NOTHING = "off ~* -@all"


@dataclass(frozen=True)
class Users:
    """`systems` is for the systems, by `elasticache:Connect` on its ARN and the group's."""

    group: ElasticacheUserGroup
    systems: ElasticacheUser


def users(stack: Stack) -> Users:
    """`aws_elasticache_user.systems`, and in place of Redis's own user `default` one that can do nothing:
    clients that name no user are refused."""
    name = stack.names.of("redis_user", "systems")
    systems = stack.add(
        ElasticacheUser,
        "systems",
        user_id=name,
        user_name=name,  # IAM asks for the same as the ID
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
        # Said so rather than as authentication_mode, whose answer has another spelling: a difference in every
        # plan. The user is off all the same.
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
