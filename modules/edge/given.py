"""A certificate that your company provides: in the account and region, issued and renewed by the company."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.model import rule_error

# botocore: acm, shape CertificateArn; here with the service, the region and the account.
_ARN = r"arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]{1,64}"


def _certificate(arn: str) -> str:
    if re.fullmatch(_ARN, arn):
        return arn
    raise rule_error(
        "the certificate must be the ARN of a certificate in ACM",
        "import it into ACM, and copy the ARN: aws acm list-certificates",
    )


CertificateArn = Annotated[
    str, AfterValidator(_certificate), WithJsonSchema({"type": "string", "pattern": f"^{_ARN}$"})
]


def covers(certificate: str, host: str) -> bool:
    """Whether a name of a certificate holds for a host: its star stands for one label (RFC 6125, 6.4.3)."""
    if certificate == host:
        return True
    return certificate.startswith("*.") and host.partition(".")[2] == certificate[2:] and host[:1] != "*"
