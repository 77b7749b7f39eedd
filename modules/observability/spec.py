"""Keys of `observability:`: recipients and thresholds of alarms, and retention of logs, metrics and
traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.observability.slo_spec import Objectives
from tierra.validation.model import Model, Violation, repeated, rule, rule_error
from tierra.validation.retention import RetentionDays

MOST_EMAILS = 20
# Keys of optional parts, by the key that turns the part off.
NEEDS = {
    "grafana": ("monitoring",),
    "metrics_days": ("monitoring",),
    "metrics_gb": ("monitoring",),
    "objectives": ("monitoring",),
    "grafana_password_version": ("monitoring", "grafana"),
}


def _email(address: str) -> str:
    """An address that SNS accepts: plain ASCII, without a display name or quotes."""
    rule = "an email address must be name@domain"
    if len(address) <= 254 and re.fullmatch(
        r"[A-Za-z0-9]+([._+-]+[A-Za-z0-9]+)*@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}", address
    ):
        return address
    inner = re.search(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", address)
    remedy = f"write {inner[0]}" if inner and inner[0] != address else "write it like ops@example.com"
    raise rule_error(rule, remedy)


def _url(url: str) -> str:
    if re.fullmatch(r"https://[A-Za-z0-9.-]+\.[A-Za-z]{2,}(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?", url):
        return url
    rule = "a URL must start with https://, have a host, and no user, query or #"
    plain = re.sub(r"^(http://)?(?=[A-Za-z0-9.-]+\.[A-Za-z]{2,})", "https://", re.sub(r"[?#].*$", "", url))
    raise rule_error(
        rule,
        f"write {plain}"
        if plain.startswith("https://") and plain != url
        else "write it like https://example.com/runbooks",
    )


def address_slug(address: str) -> str:
    """A mail address as part of a Terraform name."""
    return re.sub(r"[^a-z0-9]", "_", address.lower().replace("@", "_at_"))


Email = Annotated[
    str,
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "examples": ["ops@example.com"]}),
]
Url = Annotated[
    str,
    AfterValidator(_url),
    WithJsonSchema(
        {"type": "string", "pattern": "^https://[^?#@]+$", "examples": ["https://example.com/runbooks"]}
    ),
]


class Observability(Model):
    """Alarms, dashboards, metrics, logs and traces."""

    alarm_emails: Annotated[tuple[Email, ...], Field(strict=False)] = Field(
        default=(),
        json_schema_extra={"maxItems": MOST_EMAILS},
        description="Addresses that receive every alarm by mail. AWS sends each address a confirmation"
        " mail for each topic; alarms arrive only after the confirmation.",
        examples=[["ops@example.com"]],
    )
    pager_url: Url | None = Field(
        default=None,
        description="A web service that receives urgent alarms and confirms subscriptions by itself. If"
        " the URL is a secret, leave it out and subscribe it to the topic `page` outside of"
        " Terraform.",
        examples=["https://pager.example.com/alarms"],
    )
    retention_days: RetentionDays = Field(
        default=90,
        description="Days that the logs of pods are kept; one of the values CloudWatch Logs accepts.",
    )
    metrics_days: int = Field(
        default=15,
        ge=7,
        le=90,
        description="Days that Prometheus keeps metrics, if its disk is large enough. Objectives need"
        " three days.",
    )
    metrics_gb: int = Field(
        default=50,
        ge=20,
        le=1000,
        description="Disk of Prometheus in GiB. Metrics take at most four fifths of it; the oldest are"
        " deleted first.",
    )
    objectives: Objectives = Field(
        default_factory=Objectives, description="Service level objectives of every system."
    )
    runbooks: Url | None = Field(
        default=None,
        json_schema_extra={"default": "docs/runbooks.md of delivery.repository"},
        description="The page that alarms point to; each adds #<its section>.",
    )
    error_percent: int = Field(
        default=2,
        ge=1,
        le=50,
        description="Percent of requests that may fail with 5xx before an alarm fires.",
    )
    slow_seconds: int = Field(
        default=3,
        ge=1,
        le=60,
        description="Seconds that the slowest 1 % of requests may take before an alarm fires.",
    )
    trace_percent: float = Field(
        default=5,
        ge=0,
        le=100,
        description="Percent of requests that are traced, from Kong on; trace headers of clients are"
        " ignored. 0 turns tracing off: X-Ray, its permissions, and the OpenTelemetry settings of"
        " systems.",
    )
    dashboards: bool = Field(
        default=True,
        description="Whether there are CloudWatch dashboards, which AWS bills. Dashboards of Grafana"
        " remain in any case.",
    )
    monitoring: bool = Field(
        default=True,
        description="Whether Prometheus monitors the cluster and Alertmanager sends its alerts. false,"
        " for teams with another product, leaves out both, together with Grafana, the"
        " exporters, the alerts and dashboards of systems, and the heartbeat. CloudWatch"
        " alarms, logs and traces remain.",
    )
    grafana: bool = Field(
        default=True,
        description="Whether Grafana is installed. Alerts work without it.",
    )
    monthly_usd: int | None = Field(
        default=None,
        ge=1,
        description="Monthly budget of the whole account in US dollars. A message is sent when 80 % is"
        " spent, and when the forecast exceeds the budget. None by default.",
        examples=[3000],
    )

    grafana_password_version: int = Field(
        default=1,
        ge=1,
        le=9_999,
        description="Counts the passwords of Grafana's administrator. Raising it creates a new password"
        " and restarts Grafana.",
    )

    @property
    def traces(self) -> bool:
        """Whether requests are traced."""
        return self.trace_percent > 0

    @property
    def has_grafana(self) -> bool:
        """Whether Grafana is installed, which requires Prometheus."""
        return self.monitoring and self.grafana

    @rule("monitoring", "grafana", "metrics_days", "metrics_gb", "objectives", "grafana_password_version")
    def nothing_is_set_for_what_is_off(self) -> Iterator[Violation]:
        """Settings of parts that are off are refused, because they would have no effect."""
        for key, needs in NEEDS.items():
            off = next((part for part in needs if not getattr(self, part)), None)
            if off and key in self.model_fields_set and getattr(self, key) is not False:
                rule = f"{key} requires {off}, and {off} is false"
                yield Violation((key,), rule, f"remove the line, or write {off}: true")

    @rule("alarm_emails")
    def addresses_are_named_once(self) -> Iterator[Violation]:
        """No address gets a message twice."""
        for index in repeated(map(address_slug, self.alarm_emails)):
            yield Violation(
                ("alarm_emails", index), "each address must be named once", "remove the second one"
            )
        if len(self.alarm_emails) > MOST_EMAILS:
            rule = f"there must be at most {MOST_EMAILS} addresses"
            count = f"{len(self.alarm_emails)} addresses"
            yield Violation(("alarm_emails",), rule, "use the address of a mailing list", count)


def budget_is_sold(observability: Observability, partition: str) -> Iterator[Violation]:
    """Budgets require an account that AWS itself bills in dollars: accounts in China are billed by another
    company, and those of GovCloud through an account of the partition aws."""
    if observability.monthly_usd is not None and partition != "aws":
        rule = f"monthly_usd requires the partition aws: AWS Budgets has no US dollars in {partition}"
        yield Violation(("observability", "monthly_usd"), rule, "remove the line")
