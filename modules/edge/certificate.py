"""The certificate for every host name, validated by DNS, so that ACM renews it automatically."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate, AcmCertificateOptions
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.route53_record import Route53Record

from modules.edge.domains import slug
from modules.edge.names import all_hosts, proven
from modules.edge.zone import Zone, Zones
from tierra.terraform.stack import Stack

# Allowed issuers for names with our CAA records (ACM user guide, "Configure a CAA record").
AUTHORITY = "amazon.com"
TTL_SECONDS = 300


def certificate(stack: Stack, zones: Zones) -> str:
    """ARN of `aws_acm_certificate.main`, known once it is issued, so that resources that use it wait for
    that."""
    settings = stack.environment.edge
    hosts = all_hosts(settings, stack.environment.systems)
    requested = stack.add(
        AcmCertificate,
        "main",
        domain_name=settings.main_domain,
        # Never empty: if it is, the provider keeps the previous names (internal/service/acm/certificate.go:
        # optional and computed), and it adds the domain itself in any case.
        subject_alternative_names=list(hosts),
        validation_method="DNS",
        key_algorithm="RSA_2048",
        options=AcmCertificateOptions(certificate_transparency_logging_preference="ENABLED"),
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        tags=stack.tags("edge"),
    )
    proofs = [_proof(stack, zones.of(name), name, listed) for name, listed in proven(hosts).items()]
    issued = stack.add(
        AcmCertificateValidation,
        "main",
        certificate_arn=requested.arn,
        validation_record_fqdns=[proof.fqdn for proof in proofs],
    )
    return issued.certificate_arn


def _proof(stack: Stack, zone: Zone, name: str, listed: str) -> Route53Record:
    """The DNS validation record with which ACM verifies ownership of the name, for issuing and for each
    renewal.

    The content of the record is only known after the request, so no loop can use it; the names are known
    before. `listed` is the name in the certificate, which may be a wildcard.
    """
    return stack.add(
        Route53Record,
        f"proof_{slug(name)}",
        provider=zone.provider,
        zone_id=zone.id,
        name=_validation_option("resource_record_name", listed),
        type="CNAME",
        ttl=TTL_SECONDS,
        records=[_validation_option("resource_record_value", listed)],
        allow_overwrite=True,  # a new certificate needs the same record
        depends_on=_authorities(stack, zone, name),
    )


def _validation_option(attribute: str, listed: str) -> str:
    options = "aws_acm_certificate.main.domain_validation_options"
    return f'${{one([for option in {options} : option.{attribute} if option.domain_name == "{listed}"])}}'


def _authorities(stack: Stack, zone: Zone, name: str) -> list[Route53Record] | None:
    """The CAA record of a name, which is created before the certificate: a parent domain may have a stricter
    one."""
    settings = stack.environment.edge
    if not settings.authority_at(name):
        return None
    hosts = all_hosts(settings, stack.environment.systems)
    wildcard = AUTHORITY if f"*.{name}" in hosts else ";"
    return [
        stack.add(
            Route53Record,
            f"caa_{slug(name)}",
            provider=zone.provider,
            zone_id=zone.id,
            name=name,
            type="CAA",
            ttl=TTL_SECONDS,
            records=[f'0 issue "{AUTHORITY}"', f'0 issuewild "{wildcard}"'],
        )
    ]
