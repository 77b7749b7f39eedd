"""A certificate that your company provides: in the account and region, issued and renewed by the company."""

from __future__ import annotations

from typing import Annotated

from tierra.validation.arns import Arn, arn_pattern

# botocore: acm, shape CertificateArn; here with the service, the region and the account.
CertificateArn = Annotated[
    str,
    Arn(
        arn_pattern("acm", "certificate/[A-Za-z0-9-]{1,64}"),
        "the certificate must be the ARN of a certificate in ACM",
        "import it into ACM, and copy the ARN: aws acm list-certificates",
    ),
]


def covers(certificate: str, host: str) -> bool:
    """Whether a name of a certificate is valid for a host; a wildcard stands for one label (RFC 6125,
    6.4.3)."""
    if certificate == host:
        return True
    return certificate.startswith("*.") and host.partition(".")[2] == certificate[2:] and host[:1] != "*"
