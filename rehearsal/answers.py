"""Answers of data sources about AWS itself: regions, zones, accounts of AWS, published images.

Source, unless a line says otherwise: website/docs/d/*.html.markdown of hashicorp/terraform-provider-aws.
Zones, account numbers and images are placeholders; they are made up where AWS has one per region.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

from rehearsal.account import Account
from rehearsal.policy_document import render
from rehearsal.protocol import Object

ZONES = {"us-east-1": "abcdef", "us-west-2": "abcd", "ap-northeast-2": "abcd", "ca-central-1": "abd"}
ZONES |= {"ap-northeast-1": "acd"}
DEFAULT_ZONES = "abc"
# The account of AWS that writes load balancer logs in the older regions; newer ones use a service principal.
# Source: docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
ELB_ACCOUNTS = {"us-east-1": "127311923021", "us-west-2": "797873946194", "eu-west-1": "156460612806"}
ELB_ACCOUNTS |= {"eu-central-1": "054676820928", "cn-north-1": "638102146993"}
ENGINE_VERSIONS = {
    "aurora-mysql": "8.0.mysql_aurora.3.10.1",
    "aurora-postgresql": "17.6",
    "mariadb": "11.8.5",
}
ENGINE_VERSIONS |= {"mysql": "8.4.7", "postgres": "17.6"}
MANAGED_POLICY = '{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}'


def zone_id(region: str, number: int) -> str:
    """The id that AWS gives the numbered zone of a region, such as euw1-az2."""
    area, *middle, digit = region.split("-")
    return f"{area}{''.join(part[0] for part in middle)}{digit}-az{number}"


def _vpc(config: Object, _account: Account) -> Object:
    """A VPC created outside, as the console creates it, with the block that the lookup names."""
    digest = hashlib.sha256(repr(sorted(config.items(), key=lambda item: item[0])).encode()).hexdigest()
    blocks = [block for filter_ in config.get("filter") or [] for block in filter_["values"] if "/" in block]
    return {
        "id": f"vpc-{digest[:17]}",
        "cidr_block": blocks[0] if blocks else "10.0.0.0/16",
        "default": False,
        "dhcp_options_id": f"dopt-{digest[17:34]}",
        "enable_dns_hostnames": True,
        "enable_dns_support": True,
        "state": "available",
    }


def _zones(config: Object, account: Account) -> Object:
    region = config.get("region") or account.region
    zones = [
        (f"{region}{letter}", zone_id(region, number))
        for number, letter in enumerate(ZONES.get(region, DEFAULT_ZONES), 1)
        if f"{region}{letter}" not in (config.get("exclude_names") or [])
        and zone_id(region, number) not in (config.get("exclude_zone_ids") or [])
    ]
    return {
        "id": region,
        "group_names": [region],
        "names": [name for name, _ in zones],
        "zone_ids": [its_id for _, its_id in zones],
    }


def _zone(config: Object, account: Account) -> Object:
    region = account.region
    letters = ZONES.get(region, DEFAULT_ZONES)
    zones = [(f"{region}{letter}", zone_id(region, n)) for n, letter in enumerate(letters, 1)]
    asked = (config.get("name"), config.get("zone_id"))
    name, its_id = next((zone for zone in zones if zone[0] == asked[0] or zone[1] == asked[1]), zones[0])
    suffix = name.removeprefix(region)
    return {"id": name, "name": name, "zone_id": its_id, "name_suffix": suffix, "group_name": region}


def _caller(_config: Object, account: Account) -> Object:
    arn = f"arn:{account.partition}:iam::{account.id}:user/rehearsal"
    return {"id": account.id, "account_id": account.id, "arn": arn, "user_id": "AIDAREHEARSALEXAMPLE1"}


def _session(config: Object, _account: Account) -> Object:
    arn = config["arn"]
    name = arn.rpartition("/")[2]
    return {"id": arn, "issuer_arn": arn, "issuer_id": "", "issuer_name": name, "session_name": ""}


def _partition(_config: Object, account: Account) -> Object:
    return {
        "id": account.partition,
        "partition": account.partition,
        "dns_suffix": account.dns_suffix,
        "reverse_dns_prefix": _reversed(account.dns_suffix),
    }


def _region(config: Object, account: Account) -> Object:
    name = config.get("region") or config.get("name") or account.region
    endpoint = f"ec2.{name}.{account.dns_suffix}"
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": endpoint}


def _service_principal(config: Object, account: Account) -> Object:
    region, service = config.get("region") or account.region, config["service_name"]
    name = f"{service}.amazonaws.com"
    return {"id": f"{_reversed(name)}.{region}", "name": name, "suffix": "amazonaws.com", "region": region}


def _endpoint_service(config: Object, account: Account) -> Object:
    region = config.get("region") or account.region
    name = config.get("service_name") or f"com.amazonaws.{region}.{config.get('service')}"
    return {
        "service_name": name,
        "service_type": config.get("service_type") or "Interface",
        "owner": "amazon",
        "private_dns_name": f"{name.rpartition('.')[2]}.{region}.{account.dns_suffix}",
        "availability_zones": [f"{region}{letter}" for letter in ZONES.get(region, DEFAULT_ZONES)],
    }


def _policy_document(config: Object, _account: Account) -> Object:
    text, minified = render(config)
    version = config.get("version") or "2012-10-17"
    return {"id": str(zlib.crc32(text.encode())), "json": text, "minified_json": minified, "version": version}


def _managed_policy(config: Object, account: Account) -> Object:
    arn = config.get("arn") or f"arn:{account.partition}:iam::aws:policy/{config.get('name')}"
    return {"id": arn, "arn": arn, "name": arn.rpartition("/")[2], "path": "/", "policy": MANAGED_POLICY}


def _image(config: Object, account: Account) -> Object:
    name = "al2023-ami-2023.9.20251117.1-kernel-6.1-x86_64"
    for filter_ in config.get("filter") or []:
        name = filter_["values"][0].replace("*", "2025.11") if filter_["name"] == "name" else name
    digits = hashlib.sha256(f"{account.region} {name}".encode()).hexdigest()[:16]
    return {
        "id": f"ami-0{digits}",
        "image_id": f"ami-0{digits}",
        "name": name,
        "architecture": "arm64" if "arm64" in name or "aarch64" in name else "x86_64",
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "platform": "windows" if "Windows" in name else "",
        "virtualization_type": "hvm",
        "state": "available",
    }


def _parameter(config: Object, account: Account) -> Object:
    """A public parameter (below /aws/service) holds the id of an image, or JSON with it."""
    name = config["name"]
    digits = hashlib.sha256(f"{account.region} {name}".encode()).hexdigest()[:16]
    arn = f"arn:{account.partition}:ssm:{account.region}:{account.id}:parameter/{name.lstrip('/')}"
    value = f"ami-0{digits}"
    if name.endswith("recommended"):
        value = f'{{"image_id":"{value}","image_name":"{name}","release_version":"1.34.1-20251120"}}'
    known = {"value": value, "insecure_value": value, "type": "String", "version": 1}
    return {"id": name, "arn": arn, **known}


def _elb_account(config: Object, account: Account) -> Object:
    region = config.get("region") or account.region
    number = ELB_ACCOUNTS.get(region, "127311923021")
    return {"id": number, "arn": f"arn:{account.partition}:iam::{number}:root"}


def _canonical_user(_config: Object, account: Account) -> Object:
    return {"id": hashlib.sha256(account.id.encode()).hexdigest(), "display_name": ""}


def _default_tags(_config: Object, account: Account) -> Object:
    return {"id": account.partition, "tags": account.default_tags}


def _prefix_list(config: Object, account: Account) -> Object:
    region = config.get("region") or account.region
    name = config.get("name") or f"com.amazonaws.{region}.s3"
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    entries = [{"cidr": "52.216.0.0/15", "description": ""}]
    known = {"cidr_blocks": ["52.216.0.0/15"], "entries": entries, "max_entries": 1, "address_family": "IPv4"}
    return {"id": f"pl-{digits}", "name": name, "owner_id": "AWS", **known}


def _engine_version(config: Object, _account: Account) -> Object:
    """The version asked for, or a plausible one of the engine."""
    engine = str(config["engine"])
    preferred = config.get("preferred_versions") or []
    version = config.get("version") or next(iter(preferred), ENGINE_VERSIONS.get(engine, "1.0"))
    parts = str(version).split(".")
    major = parts[0] if "postgres" in engine else ".".join(parts[:2])
    return {
        "id": version,
        "version": version,
        "version_actual": version,
        "version_description": f"{engine} {version}",
        "parameter_group_family": config.get("parameter_group_family") or f"{engine}{major}",
        "status": "available",
    }


def _encryption_key(config: Object, account: Account) -> Object:
    """The key of an ARN, in any account."""
    key = str(config.get("key_id") or "")
    if not key.startswith("arn:") or ":key/" not in key:
        return {}
    name = key.rpartition("/")[2]
    return {
        "id": name,
        "arn": key,
        "aws_account_id": key.split(":")[4],
        "enabled": True,
        "key_manager": "CUSTOMER",
        "key_state": "Enabled",
        "key_usage": "ENCRYPT_DECRYPT",
        "multi_region": name.startswith("mrk-"),
    }


def _reversed(name: str) -> str:
    return ".".join(reversed(name.split(".")))


Answer = Callable[[dict[str, Any], Account], dict[str, Any]]
ANSWERS: dict[str, Answer] = {
    "aws_ami": _image,
    "aws_availability_zone": _zone,
    "aws_availability_zones": _zones,
    "aws_caller_identity": _caller,
    "aws_canonical_user_id": _canonical_user,
    "aws_cloudfront_log_delivery_canonical_user_id": _canonical_user,
    "aws_default_tags": _default_tags,
    "aws_ec2_managed_prefix_list": _prefix_list,
    "aws_elb_service_account": _elb_account,
    "aws_iam_policy": _managed_policy,
    "aws_iam_policy_document": _policy_document,
    "aws_iam_session_context": _session,
    "aws_kms_key": _encryption_key,
    "aws_partition": _partition,
    "aws_prefix_list": _prefix_list,
    "aws_rds_engine_version": _engine_version,
    "aws_region": _region,
    "aws_service_principal": _service_principal,
    "aws_ssm_parameter": _parameter,
    "aws_vpc_endpoint_service": _endpoint_service,
    "aws_vpc": _vpc,
}
