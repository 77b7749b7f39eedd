"""GitHub as an OIDC identity provider: workflows authenticate with a token; GitHub stores no AWS key."""

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
    """The provider, and roles that jobs of one repository may assume in one GitHub environment."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._environments = github_environments(stack.environment.delivery, stack.environment.environment)
        self._audience = f"sts.{stack.environment.dns_suffix}"
        self.provider_arn = self._provider()

    def _provider(self) -> str:
        """`aws_iam_openid_connect_provider.github`, or the ARN of an existing one."""
        if self._stack.environment.delivery.oidc_provider == "existing":
            return self._stack.arn("iam", f"oidc-provider/{HOST}", region="")
        # AWS trusts the certificates of this host itself: no thumbprint is needed.
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

        The subject must match exactly: jobs of other repositories or environments, or without one, are
        refused.
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
        was renamed or has opted in; before that, its tokens contain only names. A repository that takes over
        a name never has tokens without IDs. Source: github.blog/changelog, "Immutable subject claims for
        GitHub Actions OIDC tokens", 2026-04-23; github/docs #45221."""
        delivery = self._stack.environment.delivery
        full_name = repository or delivery.repository
        forms = (
            [full_name]
            if delivery.subjects == "numbered"
            else list(dict.fromkeys((full_name, plain(full_name))))
        )
        subjects = [f"repo:{form}:environment:{self._environments[job]}" for job in jobs for form in forms]
        unique = list(dict.fromkeys(subjects))
        return unique if len(unique) > 1 else unique[0]
