"""GitHub as an identity provider: workflows authenticate with a token; no AWS key is stored there."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole

from modules.delivery.spec import github_environments
from tierra.patterns.iam import iam_role
from tierra.terraform.policy import Statement, document
from tierra.terraform.stack import Stack
from tierra.validation.github import plain

HOST = "token.actions.githubusercontent.com"
HOUR = 3600


class Github:
    """The provider, and roles that one repository may assume from one place of it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._environments = github_environments(stack.environment.delivery, stack.environment.environment)
        self._audience = f"sts.{stack.environment.dns_suffix}"
        self.provider_arn = self._provider()

    def _provider(self) -> str:
        """`aws_iam_openid_connect_provider.github`, or the ARN of the one that the account has."""
        if self._stack.environment.delivery.oidc_provider == "existing":
            return self._stack.arn("iam", f"oidc-provider/{HOST}", region="")
        # AWS knows the certificates of this host itself: no thumbprint is to be kept up to date.
        return self._stack.add(
            IamOpenidConnectProvider,
            "github",
            url=f"https://{HOST}",
            client_id_list=[self._audience],
            tags=self._stack.tags("github"),
        ).arn

    def role(
        self,
        name: str,
        description: str,
        *jobs: str,
        repository: str | None = None,
        hours: int = 1,
        permissions_boundary: str | None = None,
    ) -> IamRole:
        """`aws_iam_role.<name>`, for jobs of one repository in the GitHub environments of `jobs`: `push`,
        `deploy`, `plan`, `drift` or `apply`.

        The subject is compared in full: no other repository or environment has it, nor a job in none.
        """
        trusted = Statement(
            sid="JobsOnGithub",
            actions="sts:AssumeRoleWithWebIdentity",
            principals={"Federated": self.provider_arn},
            conditions={
                "StringEquals": {
                    f"{HOST}:aud": self._audience,
                    f"{HOST}:sub": self._subjects(jobs, repository),
                }
            },
        )
        return iam_role(
            self._stack,
            name,
            description,
            document(trusted),
            max_session_duration=hours * HOUR,
            permissions_boundary=permissions_boundary,
        )

    def _subjects(self, jobs: Sequence[str], repository: str | None) -> list[str] | str:
        """The subjects of their tokens. A repository has the immutable form, acme@12/shop@34, if it is new,
        was renamed or has asked for it; until then its tokens have the names alone. No repository that takes
        over a name has tokens without numbers. Source: github.blog/changelog, "Immutable subject claims for
        GitHub Actions OIDC tokens", 2026-04-23; github/docs #45221."""
        delivery = self._stack.environment.delivery
        named = repository or delivery.repository
        forms = [named] if delivery.subjects == "numbered" else list(dict.fromkeys((named, plain(named))))
        found = [f"repo:{form}:environment:{self._environments[job]}" for job in jobs for form in forms]
        unique = list(dict.fromkeys(found))
        return unique if len(unique) > 1 else unique[0]
