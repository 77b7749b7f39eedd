"""Elastic Load Balancing: load balancers, listeners, rules and target groups."""

from __future__ import annotations

from typing import Any

from rehearsal.refusals.rules import (
    CREATE,
    DELETE,
    Rule,
    blocks,
    changed,
    find_object,
    foreign_groups,
    networks,
    others,
    region_of,
    texts,
    zones,
)
from tierra.aws.transition_answers import Around, Values

BALANCERS = ("aws_lb", "aws_alb")
LISTENERS = ("aws_lb_listener", "aws_alb_listener")
LISTENER_RULES = ("aws_lb_listener_rule", "aws_alb_listener_rule")
TARGETS = ("aws_lb_target_group", "aws_alb_target_group")
POLICIES = "aws_s3_bucket_policy"
PROTOCOLS = {
    "app": ("HTTPS", "HTTP"),
    "net": ("TLS", "TCP", "TCP_UDP", "UDP", "QUIC", "TCP_QUIC"),
    "gwy": ("GENEVE",),
}
SECURE = ("HTTPS", "TLS")


def kind(arn: Any) -> str:
    """`app`, `net` or `gwy`: the kind in an ARN of a load balancer or a listener."""
    parts = arn.split("/") if isinstance(arn, str) else []
    return parts[1] if len(parts) > 3 else ""


def subnets_of(balancer: Values) -> list[str]:
    mapped = [mapping.get("subnet_id") for mapping in blocks(balancer, "subnet_mapping")]
    return sorted({*texts(balancer.get("subnets")), *texts(mapped)})


def balancer_zones(was: Values, now: Values, around: Around) -> str:
    if not changed(was, now, "subnets", "subnet_mapping"):
        return ""
    here = zones(around, subnets_of(now))
    if not here:
        return ""
    if len(set(here)) < len(here):
        return (
            "InvalidConfigurationRequest: A load balancer cannot be attached to multiple subnets in the same"
            " Availability Zone"
        )
    if now.get("load_balancer_type") in ("application", None) and len(here) < 2:
        return "ValidationError: At least two subnets in two different Availability Zones must be specified"
    return ""


def balancer_networks(was: Values, now: Values, around: Around) -> str:
    vpcs = networks(around, subnets_of(now))
    if len(vpcs) > 1 and changed(was, now, "subnets", "subnet_mapping"):
        return "InvalidConfigurationRequest: All subnets of a load balancer must be of one VPC"
    for group, _ in foreign_groups(around, now.get("security_groups"), vpcs):
        if changed(was, now, "security_groups"):
            return f"InvalidConfigurationRequest: One or more security groups are invalid: {group}"
    return ""


def balancer_public(_was: Values, now: Values, around: Around) -> str:
    if now.get("internal") is True or now.get("load_balancer_type") == "gateway":
        return ""
    for vpc in networks(around, subnets_of(now)):
        attached = [*around("aws_internet_gateway"), *around("aws_internet_gateway_attachment")]
        known = find_object(around, "aws_vpc", "id", vpc)
        if known and not any(gateway.get("vpc_id") == vpc for gateway in attached):
            return f"InvalidSubnet: VPC {vpc} has no internet gateway"
    return ""


def balancer_logs(was: Values, now: Values, around: Around) -> str:
    """Refused if the bucket is known and has no policy that lets the service write."""
    for name in ("access_logs", "connection_logs"):
        for block in blocks(now, name):
            bucket = find_object(around, "aws_s3_bucket", "bucket", block.get("bucket"))
            if not bucket or block.get("enabled") is not True or not changed(was, now, name):
                continue
            policies = [policy for policy in around(POLICIES) if policy.get("bucket") == bucket.get("bucket")]
            documents = [policy.get("policy") for policy in policies] or (
                [bucket["policy"]] if _given(bucket) else []
            )
            if not documents or all(_grants_nothing(text) for text in documents):
                return (
                    f"InvalidConfigurationRequest: Access Denied for bucket: {bucket['bucket']}. Please check"
                    " S3bucket permission"
                )
    return ""


def _given(bucket: Values) -> bool:
    return isinstance(bucket.get("policy"), str) and '"Statement"' in bucket["policy"]


def _grants_nothing(policy: Any) -> bool:
    """Whether a policy allows no service and no other account to write."""
    return isinstance(policy, str) and '"Allow"' not in policy


def listener_protocol(was: Values, now: Values, _around: Around) -> str:
    able, mine = PROTOCOLS.get(kind(now.get("load_balancer_arn"))), now.get("protocol")
    if able is None or not isinstance(mine, str) or mine in able or not changed(was, now, "protocol"):
        return ""
    return f"ValidationError: Listener protocol '{mine}' must be one of '{', '.join(able)}'"


def listener_certificate(was: Values, now: Values, _around: Around) -> str:
    mine, certificate = now.get("protocol"), now.get("certificate_arn")
    if not changed(was, now, "protocol", "certificate_arn"):
        return ""
    if mine in SECURE and certificate in (None, ""):
        return f"ValidationError: A certificate must be specified for {mine} listeners"
    if mine == "HTTP" and isinstance(certificate, str) and certificate:
        return f"ValidationError: A certificate cannot be specified for {mine} listeners"
    return ""


def listener_region(was: Values, now: Values, _around: Around) -> str:
    certificate = now.get("certificate_arn")
    own = region_of(now.get("load_balancer_arn") or now.get("listener_arn"))
    its = region_of(certificate)
    if not own or not its or own == its or ":acm:" not in str(certificate):
        return ""
    if not changed(was, now, "certificate_arn"):
        return ""
    return f"CertificateNotFound: Certificate '{certificate}' not found"


def listener_issued(was: Values, now: Values, around: Around) -> str:
    arn = now.get("certificate_arn")
    certificate = find_object(around, "aws_acm_certificate", "arn", arn)
    if certificate is None or not changed(was, now, "certificate_arn") or not pending(certificate, around):
        return ""
    return (
        f"UnsupportedCertificate: The certificate '{arn}' must have a fully-qualified domain name, a"
        " supported"
        " signature, and a supported key size."
    )


def pending(certificate: Values, around: Around) -> bool:
    """Whether a certificate cannot be validated yet: there is neither a validation nor a record."""
    if certificate.get("validation_method") not in ("DNS", "EMAIL"):
        return False
    arn = certificate.get("arn")
    if any(
        validation.get("certificate_arn") == arn for validation in around("aws_acm_certificate_validation")
    ):
        return False
    options = blocks(certificate, "domain_validation_options")
    proofs = {str(option.get("resource_record_name")).rstrip(".") for option in options}
    records = {str(record.get("name")).rstrip(".") for record in around("aws_route53_record")}
    records |= {str(record.get("fqdn")).rstrip(".") for record in around("aws_route53_record")}
    return not proofs & records


def targets_of(now: Values) -> list[str]:
    named: list[str] = []
    for action in [*blocks(now, "default_action"), *blocks(now, "action")]:
        named += texts(action.get("target_group_arn"))
        for forward in blocks(action, "forward"):
            named += [arn for group in blocks(forward, "target_group") for arn in texts(group.get("arn"))]
    return named


def target_protocol(_was: Values, now: Values, around: Around) -> str:
    own = kind(now.get("load_balancer_arn") or now.get("listener_arn"))
    for arn in targets_of(now):
        target = find_object(around, TARGETS, "arn", arn) or {}
        its, mine = target.get("protocol"), now.get("protocol")
        web = its in PROTOCOLS["app"]
        if not isinstance(its, str) or own not in ("app", "net") or web == (own == "app"):
            continue
        words = (
            f"target group {arn} has protocol {its}, which the listener{_of_protocol(mine)} cannot forward to"
        )
        return f"IncompatibleProtocols: The specified configuration is not valid with this protocol: {words}"
    return ""


def _of_protocol(protocol: Any) -> str:
    return f" of protocol {protocol}" if isinstance(protocol, str) else ""


def target_network(_was: Values, now: Values, around: Around) -> str:
    balancer = find_object(around, BALANCERS, "arn", now.get("load_balancer_arn"))
    vpcs = networks(around, subnets_of(balancer or {}))
    for arn in targets_of(now):
        target = find_object(around, TARGETS, "arn", arn)
        vpc = target and target.get("vpc_id")
        if vpcs and isinstance(vpc, str) and vpc and vpc not in vpcs:
            return (
                "InvalidConfigurationRequest: The following target groups are in another VPC than the load"
                f" balancer: {arn}"
            )
    return ""


def target_shared(_was: Values, now: Values, around: Around) -> str:
    mine = set(targets_of(now))
    balancer = now.get("load_balancer_arn")
    for listener in others(around, "aws_lb_listener", now):
        shared = sorted(mine & set(targets_of(listener)))
        if shared and isinstance(balancer, str) and listener.get("load_balancer_arn") != balancer:
            return (
                "TargetGroupAssociationLimit: The following target groups cannot be associated with more than"
                f" one load balancer: {', '.join(shared)}"
            )
    return ""


def same_port(was: Values, now: Values, around: Around) -> str:
    if not changed(was, now, "port"):
        return ""
    for listener in others(around, "aws_lb_listener", now):
        names = ("load_balancer_arn", "port")
        if isinstance(now.get("port"), int) and all(listener.get(name) == now.get(name) for name in names):
            its, mine = listener.get("protocol"), now.get("protocol")
            if kind(now.get("load_balancer_arn")) == "net" and its != mine:  # TCP and UDP may share a port
                continue
            return (
                "DuplicateListener: A listener already exists on this port for this load balancer"
                f" '{now['load_balancer_arn']}'"
            )
    return ""


def same_priority(was: Values, now: Values, around: Around) -> str:
    priority = now.get("priority")
    if not isinstance(priority, int) or not changed(was, now, "priority", "listener_arn"):
        return ""
    for rule in others(around, "aws_lb_listener_rule", now):
        if rule.get("listener_arn") == now.get("listener_arn") and rule.get("priority") == priority:
            return f"PriorityInUse: Priority '{priority}' is currently in use"
    return ""


def health_check(_was: Values, now: Values, _around: Around) -> str:
    for check in blocks(now, "health_check"):
        timeout, interval = check.get("timeout"), check.get("interval")
        if not isinstance(timeout, int) or not isinstance(interval, int) or not interval:
            continue
        if interval <= timeout and now.get("protocol") in PROTOCOLS["app"]:
            return "ValidationError: Health check interval must be greater than the timeout."
    return ""


def lambda_permission(_was: Values, now: Values, around: Around) -> str:
    """A function must allow the service before a target group can invoke it."""
    function = find_object(around, "aws_lambda_function", "arn", now.get("target_id"))
    if function is None:
        return ""
    names = {function.get("function_name"), function.get("arn")}
    for permission in around("aws_lambda_permission"):
        if permission.get("function_name") in names and "elasticloadbalancing" in str(
            permission.get("principal")
        ):
            return ""
    return (
        "AccessDenied: elasticloadbalancing principal does not have permission to invoke"
        f" {function.get('arn')} from target group {now.get('target_group_arn')}"
    )


def target_used(was: Values, _now: Values, around: Around) -> str:
    for type_name in (*LISTENERS, *LISTENER_RULES):
        if any(was.get("arn") in targets_of(user) for user in around(type_name)):
            return (
                f"ResourceInUse: Target group '{was.get('arn')}' is currently in use by a listener or a rule"
            )
    return ""


API = "API elbv2, "


def redirect_loop(_was: Values, now: Values, _around: Around) -> str:
    for action in blocks(now, "default_action"):
        for goal in blocks(action, "redirect"):
            same = (
                goal.get("host") in (None, "", "#{host}")
                and goal.get("path") in (None, "", "/#{path}")
                and goal.get("query") in (None, "", "#{query}")
                and goal.get("port") in (None, "", "#{port}", str(now.get("port")))
                and goal.get("protocol") in (None, "", "#{protocol}", now.get("protocol"))
            )
            if same and isinstance(now.get("port"), int):
                return (
                    "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a"
                    " loop."
                )
    return ""


def forward_target(was: Values, now: Values, _around: Around) -> str:
    name = "action" if "action" in now else "default_action"
    for action in blocks(now, name):
        given = texts(action.get("target_group_arn")) or blocks(action, "forward")
        if action.get("type") == "forward" and not given and changed(was, now, name):
            return "ValidationError: An action of type forward must have target_group_arn or a forward block"
    return ""


RULES = (
    Rule(
        "balancer_zones",
        BALANCERS,
        "an application load balancer must have subnets in at least two zones, one in each",
        API + "CreateLoadBalancer, Subnets",
        balancer_zones,
    ),
    Rule(
        "balancer_networks",
        BALANCERS,
        "subnets and security groups of a load balancer must be in the same VPC",
        API + "CreateLoadBalancer, InvalidConfigurationRequest",
        balancer_networks,
    ),
    Rule(
        "balancer_public",
        BALANCERS,
        "a public load balancer must be created after the internet gateway of its VPC",
        API + "CreateLoadBalancer, InvalidSubnet",
        balancer_public,
        CREATE,
    ),
    Rule(
        "balancer_logs",
        BALANCERS,
        "the bucket for a load balancer's logs must let the service write",
        "page elasticloadbalancing/latest/application/enable-access-logging.html",
        balancer_logs,
    ),
    Rule(
        "listener_protocol",
        LISTENERS,
        "the protocol of a listener must be one of its kind of load balancer",
        "hashicorp/terraform#18126 and pulumi/pulumi-aws#1193 quote the answers",
        listener_protocol,
    ),
    Rule(
        "listener_certificate",
        LISTENERS,
        "HTTPS and TLS listeners must have a certificate, and HTTP listeners must not",
        "cn-terraform/terraform-aws-nexus#42 and awslabs/fargatecli#104 quote the answers",
        listener_certificate,
    ),
    Rule(
        "listener_region",
        (*LISTENERS, "aws_lb_listener_certificate"),
        "the certificate of a listener must be in its region",
        API + "CreateListener, CertificateNotFound",
        listener_region,
    ),
    Rule(
        "listener_issued",
        (*LISTENERS, "aws_lb_listener_certificate"),
        "the certificate of a listener must be issued: it must have a validation, or a record that proves it",
        "aws-samples/aws-secure-environment-accelerator#990 quotes the answer",
        listener_issued,
    ),
    Rule(
        "target_protocol",
        (*LISTENERS, *LISTENER_RULES),
        "a listener must forward to target groups with a protocol that its load balancer supports",
        API + "CreateListener, IncompatibleProtocols; CreateTargetGroup, Protocol",
        target_protocol,
    ),
    Rule(
        "target_network",
        LISTENERS,
        "a listener must forward to target groups of its own VPC",
        API + "CreateListener, InvalidConfigurationRequest",
        target_network,
    ),
    Rule(
        "target_shared",
        LISTENERS,
        "a target group must belong to at most one load balancer",
        API + "CreateListener, TargetGroupAssociationLimit",
        target_shared,
    ),
    Rule(
        "same_port",
        LISTENERS,
        "a load balancer must have at most one listener on a port",
        API + "CreateListener, DuplicateListener",
        same_port,
    ),
    Rule(
        "same_priority",
        LISTENER_RULES,
        "the priorities of the rules of a listener must be unique",
        API + "CreateRule, PriorityInUse",
        same_priority,
    ),
    Rule(
        "health_check",
        TARGETS,
        "an HTTP health check must end before the next one begins",
        "terraform-linters/tflint-ruleset-aws#404 quotes the answer",
        health_check,
    ),
    Rule(
        "lambda_permission",
        ("aws_lb_target_group_attachment",),
        "a function that is a target must let the load balancer call it",
        "page elasticloadbalancing/latest/application/lambda-functions.html",
        lambda_permission,
        CREATE,
    ),
    Rule(
        "target_used",
        TARGETS,
        "a target group that a listener or rule forwards to must not be deleted",
        API + "DeleteTargetGroup, ResourceInUse",
        target_used,
        DELETE,
    ),
    Rule(
        "redirect_loop",
        LISTENERS,
        "a listener must not redirect to itself",
        "API elbv2, CreateListener, InvalidLoadBalancerAction;"
        " kubernetes-sigs/aws-load-balancer-controller#1752 quotes the answer",
        redirect_loop,
    ),
    Rule(
        "forward_target",
        (*LISTENERS, *LISTENER_RULES),
        "an action that forwards must have a target group",
        "API elbv2, Action, TargetGroupArn",
        forward_target,
    ),
)
