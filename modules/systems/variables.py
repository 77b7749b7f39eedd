"""Environment variables of a system's own: plain settings, never secrets, and none that the platform sets."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from modules.section import fault
from modules.wording import secret

LONGEST_NAME = 128
LONGEST_VALUE = 4096

# What modules/systems/environment.py sets, and what AWS and Kubernetes set in a pod.
OURS = re.compile(
    r"(AWS|BROKER|DATABASE|DOCUMENTDB|FILES|KUBERNETES|REDIS)_\w*"
    r"|ALLOWED_HOSTS|CELERY_BROKER_URL|ENVIRONMENT|PATH_PREFIX|POD_IP|PORT|SYSTEM|TMPDIR"
    r"|OTEL_(EXPORTER_OTLP_(ENDPOINT|PROTOCOL)|PROPAGATORS|RESOURCE_ATTRIBUTES|SERVICE_NAME)"
)
# Beside what modules/wording.py never prints.
_SECRET_NAME = re.compile(r"(PASS|PASSPHRASE|SECRETS?|KEY|DSN|SALT|PIN)$")
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # user and password in an address
    r"|\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_[A-Za-z0-9]{30,}"
)
_REMEDY = "put it into the system's secret in Secrets Manager, whose keys become variables"


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or len(name) > LONGEST_NAME:
        plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).lstrip("_0123456789")[:LONGEST_NAME]
        rule = "a variable is named by capital letters, digits and underscores, and starts with a letter"
        raise fault(rule, f"write {plain}" if plain else "write a name such as LOG_LEVEL")
    if OURS.fullmatch(name):
        raise fault("the platform sets this variable itself", "remove it, or choose another name")
    if secret((name,)) or _SECRET_NAME.search(name):
        raise fault("a variable of the spec holds no secret, and this one sounds like one", _REMEDY)
    return name


def _value(value: str) -> str:
    if len(value) > LONGEST_VALUE or "\0" in value:
        raise fault(f"the value of a variable is text of at most {LONGEST_VALUE} characters", "shorten it")
    if _SECRET_VALUE.search(value):
        raise fault("a variable of the spec holds no secret, and this value looks like one", _REMEDY)
    return value


VariableName = Annotated[str, AfterValidator(_name)]
VariableValue = Annotated[
    str, AfterValidator(_value), WithJsonSchema({"type": "string", "maxLength": LONGEST_VALUE})
]
