"""ACM: certificates and their validation."""

from __future__ import annotations

from rehearsal.refusals.elb import LISTENERS
from rehearsal.refusals.rules import CREATE, DELETE, Rule, blocks, find_object, region_of, texts, used_by
from tierra.aws.transition_answers import Around, Values

CERTIFICATE = "aws_acm_certificate"
NAMES = 10  # page acm/latest/userguide/acm-limits.html
COMMON_NAME = 64


def names(_was: Values, now: Values, _around: Around) -> str:
    domain = now.get("domain_name")
    if now.get("private_key") or not isinstance(domain, str):
        return ""
    if len(domain) > COMMON_NAME:
        return (
            "InvalidDomainValidationOptionsException: The first domain name can be no longer than"
            f" {COMMON_NAME} characters."
        )
    listed = {domain, *texts(now.get("subject_alternative_names"))}
    if len(listed) > NAMES:
        return (
            f"LimitExceededException: The certificate has {len(listed)} domains. You have reached the limit"
            " of"
            f" {NAMES}."
        )
    return ""


def validation(_was: Values, now: Values, around: Around) -> str:
    """The provider compares before it waits."""
    certificate = find_object(around, CERTIFICATE, "arn", now.get("certificate_arn"))
    given = now.get("validation_record_fqdns")
    if certificate is None or not isinstance(given, list) or not given:
        return ""
    options = blocks(certificate, "domain_validation_options")
    wanted = {str(option.get("resource_record_name")).rstrip(".") for option in options}
    missing = sorted(wanted - {name.rstrip(".") for name in texts(given)})
    if not missing or len(texts(given)) != len(given):
        return ""
    return f"missing {', '.join(missing)} DNS validation record"


def validation_region(_was: Values, now: Values, _around: Around) -> str:
    its, own = region_of(now.get("certificate_arn")), now.get("region")
    if not its or not isinstance(own, str) or its == own:
        return ""
    return f"ResourceNotFoundException: Could not find certificate {now['certificate_arn']}."


API = "API acm, "
RULES = (
    Rule(
        "names",
        (CERTIFICATE,),
        f"the first name of a certificate must have at most {COMMON_NAME} characters, and a certificate at"
        f" most {NAMES} names",
        API + "RequestCertificate, DomainName, LimitExceededException",
        names,
        CREATE,
    ),
    Rule(
        "validation",
        ("aws_acm_certificate_validation",),
        "a validation must name the records of all names",
        "provider internal/service/acm/certificate_validation.go, resourceCertificateValidationCreate",
        validation,
        CREATE,
    ),
    Rule(
        "validation_region",
        ("aws_acm_certificate_validation",),
        "a certificate must be validated in its region",
        API + "DescribeCertificate, ResourceNotFoundException",
        validation_region,
        CREATE,
    ),
    Rule(
        "certificate_used",
        (CERTIFICATE,),
        "a certificate that a listener uses must not be deleted",
        API + "DeleteCertificate, ResourceInUseException",
        used_by(
            (
                *((listener, "certificate_arn") for listener in LISTENERS),
                ("aws_lb_listener_certificate", "certificate_arn"),
            ),
            "arn",
            "ResourceInUseException: Certificate {arn} in account is in use.",
        ),
        DELETE,
    ),
)
