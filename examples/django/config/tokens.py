"""Signing in to Redis with a token of IAM, which every new connection makes for itself."""

from __future__ import annotations

from botocore.model import ServiceId
from botocore.session import get_session
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider

from config import given

VALID_SECONDS = 900  # the longest that ElastiCache takes


class Token(CredentialProvider):
    """Made by signing, without a request to AWS; botocore renews the credentials of the pod underneath.

    A token that is kept fails once it is older than VALID_SECONDS, which shows first when a connection is
    lost: in a failover. So none is kept.
    """

    def __init__(self, group: str, user: str, region: str) -> None:
        self.session = session = get_session()  # kept: the signer refers to it weakly
        self.user, self.region = user, region
        self.request = {
            "method": "GET",
            "url": f"http://{group}/?Action=connect&User={user}",
            "body": {},
            "headers": {},
            "context": {},
        }
        self.signer = RequestSigner(
            ServiceId("elasticache"),
            region,
            "elasticache",
            "v4",
            session.get_credentials(),
            session.get_component("event_emitter"),
        )

    def get_credentials(self) -> tuple[str, str]:
        url = self.signer.generate_presigned_url(
            self.request, "connect", expires_in=VALID_SECONDS, region_name=self.region
        )
        return self.user, url.removeprefix("http://")


class BrokerToken(Token):
    """For Celery, which makes it by its name in the address of the broker."""

    def __init__(self) -> None:
        found = given.read()
        super().__init__(found.redis.broker_group, found.redis.user, found.region)
