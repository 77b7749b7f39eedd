"""The certificate for every name of the platform, validated by DNS, so that AWS renews it by itself."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.acm_certificate import AcmCertificate, AcmCertificateOptions
from cdktf_cdktf_provider_aws.acm_certificate_validation import AcmCertificateValidation
from cdktf_cdktf_provider_aws.route53_record import Route53Record

from modules.edge.domains import slug
from modules.edge.names import all_hosts, proven
from modules.edge.zone import Zone, Zones
from tierra.terraform.stack import Stack

# Only these may issue certificates for names with our CAA records (ACM user guide, "Configure a CAA record").
AUTHORITY = "amazon.com"
TTL_SECONDS = 300


def certificate(stack: Stack, zones: Zones) -> str:
    """ARN of `aws_acm_certificate.main`, known once it is issued: what uses it waits for that."""
    settings = stack.environment.edge
    hosts = all_hosts(settings, stack.environment.systems)
    made = stack.add(
        AcmCertificate,
        "main",
        domain_name=settings.main_domain,
        # Never empty: the provider takes no names for those of before (internal/service/acm/certificate.go:
        # optional and computed), and adds the domain itself in any case.
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
        certificate_arn=made.arn,
        validation_record_fqdns=[proof.fqdn for proof in proofs],
    )
    return issued.certificate_arn


def _proof(stack: Stack, zone: Zone, name: str, listed: str) -> Route53Record:
    """The record by which AWS sees that the name is ours, now and at each renewal.

    AWS says only after the request what it wants to read, so that nothing may loop over it; which names
    there are is known before. `listed` is the name as it stands in the certificate, which may have a star.
    """
    return stack.add(
        Route53Record,
        f"proof_{slug(name)}",
        provider=zone.provider,
        zone_id=zone.id,
        name=_wanted("resource_record_name", listed),
        type="CNAME",
        ttl=TTL_SECONDS,
        records=[_wanted("resource_record_value", listed)],
        allow_overwrite=True,  # a certificate's successor wants the same record
        depends_on=_authorities(stack, zone, name),
    )


def _wanted(attribute: str, listed: str) -> str:
    options = "aws_acm_certificate.main.domain_validation_options"
    return f'${{one([for option in {options} : option.{attribute} if option.domain_name == "{listed}"])}}'


def _authorities(stack: Stack, zone: Zone, name: str) -> list[Route53Record] | None:
    """The CAA record of a name, there before the certificate is asked for: a stricter one may stand above
    it."""
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
