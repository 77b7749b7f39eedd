"""How much of each priced unit a resource uses in a month, as far as its values show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tierra.report.costs import skus
from tierra.report.costs.skus import Sku

HOURS = 730  # a month, as AWS counts: https://aws.amazon.com/calculator/calculator-assumptions/
# Metrics of an instance with detailed monitoring that AWS charges for: EC2 User Guide, "Manage detailed
# monitoring", and infracost/infracost, internal/resources/aws/instance.go.
NODE_METRICS = 7
# What gp3 includes, below and from 400 GiB on: RDS User Guide, "gp3 storage"; for EBS, EBS User Guide.
STRIPED_GB = 400
IOPS, STRIPED_IOPS = 3_000, 12_000
THROUGHPUT, STRIPED_THROUGHPUT = 125, 500  # MiB a second
HIGH_RESOLUTION = (10, 20, 30)  # seconds: CloudWatch API, PutMetricAlarm, Period
# A managed group costs as much as a rule of one's own (https://aws.amazon.com/waf/pricing/). This one costs
# more: WAF Developer Guide, "Advanced Anti-DDoS protection".
DEAR_GROUPS = ("AWSManagedRulesAntiDDoSRuleSet",)


@dataclass(frozen=True)
class Resource:
    """One resource of a state or of a plan's outcome; a value that is not known yet is absent, or None."""

    address: str
    type: str
    values: dict[str, Any]
    refers: frozenset[str] = frozenset()  # the addresses that its configuration refers to

    def first(self, block: str) -> dict[str, Any]:
        """The first of its blocks of a kind; an empty dict if there is none."""
        return next(iter(self.values.get(block) or ()), None) or {}


@dataclass(frozen=True)
class Use:
    """The quantity of one product in a month."""

    sku: Sku
    quantity: float


# A text says what cannot be priced.
Found = Iterator[Use | str]
Counter = Callable[[Resource, Sequence[Resource]], Found]


def fixed(sku: Sku, quantity: float = 1) -> Counter:
    """The counter of a type with a fixed price."""

    def count(_resource: Resource, _others: Sequence[Resource]) -> Found:
        yield Use(sku, quantity)

    return count


def nodes(resource: Resource, others: Sequence[Resource]) -> Found:
    scaling = resource.first("scaling_config")
    number = scaling.get("desired_size") or scaling.get("min_size") or 0
    kind = next(iter(resource.values.get("instance_types") or ()), None)
    if not kind:
        yield "its instance type is not known yet"
        return
    yield Use(skus.instance(kind), number * HOURS)
    template = _template(resource, others)
    if template is None:
        yield "the disks of its nodes are not known yet"
        return
    if template.first("monitoring").get("enabled"):
        yield Use(skus.METRIC, number * NODE_METRICS)
    for mapping in template.values.get("block_device_mappings") or ():
        for disk in mapping.get("ebs") or ():
            yield from _disk(disk, number)


def _template(resource: Resource, others: Sequence[Resource]) -> Resource | None:
    """The launch template of a node group. Before it exists it has no id: then it is the one that the
    configuration refers to, or the only one."""
    templates = [template for template in others if template.type == "aws_launch_template"]
    wanted = resource.first("launch_template").get("id")
    return next(
        (template for template in templates if _same(template, wanted, resource.refers)),
        templates[0] if len(templates) == 1 else None,
    )


def _same(template: Resource, wanted: Any, refers: frozenset[str]) -> bool:
    return bool(template.values.get("id") == wanted) if wanted else template.address in refers


def _disk(disk: dict[str, Any], number: int) -> Found:
    kind = disk.get("volume_type") or "gp2"
    yield Use(skus.volume(kind), number * (disk.get("volume_size") or 0))
    if (disk.get("iops") or 0) > IOPS or (disk.get("throughput") or 0) > THROUGHPUT:
        yield f"no price of IOPS and throughput beyond what {kind} includes"


def balancer(resource: Resource, _others: Sequence[Resource]) -> Found:
    if resource.values.get("load_balancer_type") != "application":
        yield f"no price of a load balancer of the type {resource.values.get('load_balancer_type')}"
        return
    yield Use(skus.BALANCER, HOURS)
    if not resource.values.get("internal"):
        zones = resource.values.get("subnets") or resource.values.get("subnet_mapping") or ()
        yield Use(skus.ADDRESS, len(zones) * HOURS)


def database(resource: Resource, others: Sequence[Resource]) -> Found:
    values = _with_source(resource, others)
    kind, multi_az = values.get("instance_class"), bool(values.get("multi_az"))
    if values.get("engine") != "postgres" or not kind:
        yield f"no price of the engine {values.get('engine')} on {kind}"
        return
    yield Use(skus.postgres(kind, multi_az), HOURS)
    size = values.get("allocated_storage") or 0
    if values.get("storage_type") != "gp3":
        yield f"no price of storage of the type {values.get('storage_type')}"
        return
    yield Use(skus.postgres_storage(multi_az), size)
    striped = size >= STRIPED_GB
    if (more := (values.get("iops") or 0) - (STRIPED_IOPS if striped else IOPS)) > 0:
        yield Use(skus.postgres_iops(multi_az), more)
    if (values.get("storage_throughput") or 0) > (STRIPED_THROUGHPUT if striped else THROUGHPUT):
        yield "no price of throughput beyond what gp3 includes"


def _with_source(resource: Resource, others: Sequence[Resource]) -> dict[str, Any]:
    """The values of a database; a replica that does not exist yet takes missing values from its source."""
    source = resource.values.get("replicate_source_db")
    of = next(
        (database.values for database in others if source and database.values.get("identifier") == source), {}
    )
    inherited = {key: of.get(key) for key in ("engine", "allocated_storage")}
    return inherited | {key: value for key, value in resource.values.items() if value is not None}


def documents(resource: Resource, _others: Sequence[Resource]) -> Found:
    yield Use(skus.documentdb(str(resource.values.get("instance_class"))), HOURS)


def caches(resource: Resource, _others: Sequence[Resource]) -> Found:
    values = resource.values
    shards = (values.get("num_node_groups") or 0) * ((values.get("replicas_per_node_group") or 0) + 1)
    number = values.get("num_cache_clusters") or shards
    yield Use(skus.cache(str(values.get("node_type")), values.get("engine") or "redis"), number * HOURS)


def endpoint(resource: Resource, _others: Sequence[Resource]) -> Found:
    if resource.values.get("vpc_endpoint_type") == "Interface":
        yield Use(skus.ENDPOINT, len(resource.values.get("subnet_ids") or ()) * HOURS)


def alarm(resource: Resource, _others: Sequence[Resource]) -> Found:
    """An alarm costs by the metrics that it watches: those of its expression, or its only one."""
    queries = resource.values.get("metric_query") or []
    metrics = [metric for query in queries for metric in query.get("metric") or ()]
    periods = [metric.get("period") for metric in metrics] or [resource.values.get("period")]
    quick = any(period in HIGH_RESOLUTION for period in periods)
    yield Use(skus.QUICK_ALARM if quick else skus.ALARM, len(periods))


def firewall(resource: Resource, _others: Sequence[Resource]) -> Found:
    rules = resource.values.get("rule") or []
    yield Use(skus.FIREWALL, 1)
    yield Use(skus.RULE, len(rules))
    for rule in rules:
        for statement in rule.get("statement") or ():
            for group in statement.get("managed_rule_group_statement") or ():
                if group.get("name") in DEAR_GROUPS:
                    yield f"no price of {group['name']} beyond that of its rule"
