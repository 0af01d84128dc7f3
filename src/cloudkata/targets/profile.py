"""The profile of the user's own AWS configuration that an attempt on a real account is made with.

It is named by the user, read by botocore from where the AWS CLI keeps it, and nothing else of the user's is: no other
profile, no AWS_ variable with keys, no instance metadata. Its keys stay in this process.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field

from cloudkata.course.find import CourseError
from cloudkata.engine import REGION
from cloudkata.engine.remote import EngineError
from cloudkata.targets.session import Keys, data_loader

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 70.0
_TRIES, _FIRST_TRIES = 5, 2
_ARN = re.compile(r"^arn:(?P<partition>[a-z-]+):(?:iam|sts)::(?P<account>\d{12}):(?P<who>.+)$")
_WRONG_KEYS = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId")
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")


@dataclass(frozen=True)
class Profile:
    """Who a profile is: the account, the caller's ARN, and the endpoint of an emulator that plays AWS, or ""."""

    name: str
    account: str
    arn: str
    alias: str
    region: str
    endpoint: str
    _session: object = field(repr=False, compare=False)
    _clients: dict = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str, region: str = "", **options):
        """A boto3 client with the profile's keys, which botocore renews where they can be; for REGION or another."""
        if options:
            return _client(self._session, service, self.endpoint, region or REGION, **options)
        if (service, region) not in self._clients:
            self._clients[service, region] = _client(self._session, service, self.endpoint, region or REGION)
        return self._clients[service, region]

    def keys(self) -> Keys:
        """The profile's keys as they are now, for this process alone."""
        found = self._session.get_credentials().get_frozen_credentials()  # type: ignore[attr-defined]
        return Keys(found.access_key, found.secret_key, found.token or "")

    @property
    def place(self) -> str:
        """The account as people know it."""
        return f"{self.account} ({self.alias})" if self.alias else self.account


def open_profile(name: str) -> Profile:
    """Who the profile `name` is, asked of AWS. Raises CourseError for what the user can mend, EngineError otherwise."""
    import botocore.session
    from botocore.exceptions import ConfigNotFound, ConfigParseError, ProfileNotFound

    session = botocore.session.Session(profile=name)
    session.register_component("data_loader", data_loader())  # which has read the models already
    try:
        config = session.get_scoped_config()
    except ProfileNotFound:
        known = ", ".join(sorted(session.available_profiles)) or "none"
        raise CourseError(f"there is no profile {name!r} in your AWS configuration; there are: {known}") from None
    except (ConfigNotFound, ConfigParseError) as error:
        raise CourseError(f"your AWS configuration cannot be read: {error}") from None
    region = config.get("region") or REGION
    if region != REGION:
        raise CourseError(
            f"the profile {name} works in {region}, but the labs are deployed in {REGION}: "
            f"give it region = {REGION}, or make another profile for them"
        )
    endpoint = str(config.get("endpoint_url") or "")
    session.set_config_variable("metadata_service_num_attempts", 0)
    with explained(name):
        who = _client(session, "sts", endpoint, tries=_FIRST_TRIES).get_caller_identity()
    found = _ARN.match(who["Arn"])
    if not found or found["partition"] != "aws":
        raise CourseError(f"the profile {name} is {who['Arn']}, and only accounts of the partition aws can be used")
    if found["who"] == "root":
        raise CourseError(
            f"the profile {name} is the root user of account {found['account']}, which nothing here is run as: "
            "make a user or a role for it"
        )
    alias = ""
    with contextlib.suppress(Exception):  # many may not ask, and nothing depends on it
        alias = "".join(_client(session, "iam", endpoint).list_account_aliases()["AccountAliases"][:1])
    return Profile(name, found["account"], who["Arn"], alias, region, endpoint, session)


def _client(session, service: str, endpoint: str, region: str = REGION, tries: int = _TRIES, **options):
    from botocore.config import Config

    config = Config(
        retries={"max_attempts": tries, "mode": "standard"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        ignore_configured_endpoint_urls=True,
        inject_host_prefix=not endpoint,
        **options,
    )
    return session.create_client(service, region_name=region, endpoint_url=endpoint or None, config=config)


@contextlib.contextmanager
def explained(name: str, needs: str = ""):
    """Says in a sentence what is wrong with the profile `name` or the way to AWS. Raises CourseError or EngineError.

    `needs`: what the profile must be allowed to do.
    """
    from botocore import exceptions as wrong

    sign_in = f"the sign-in of the profile {name} has expired: aws sso login --profile {name}"
    try:
        yield
    except (wrong.NoCredentialsError, wrong.PartialCredentialsError):
        raise CourseError(f"the profile {name} has no keys; aws configure --profile {name} gives it some") from None
    except (wrong.SSOError, wrong.UnauthorizedSSOTokenError, wrong.TokenRetrievalError, wrong.NoAuthTokenError):
        raise CourseError(sign_in) from None
    except wrong.LoginError:
        raise CourseError(f"the sign-in of the profile {name} has expired: aws login --profile {name}") from None
    except (wrong.CredentialRetrievalError, wrong.InvalidConfigError, wrong.ProfileNotFound) as error:
        raise CourseError(f"the keys of the profile {name} cannot be had: {error}") from None
    except (wrong.HTTPClientError, wrong.ConnectionError) as error:
        raise EngineError(f"AWS cannot be reached: {error}") from None
    except wrong.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _EXPIRED:
            raise CourseError(f"the keys of the profile {name} have expired: sign in again, then try again") from None
        if code in _WRONG_KEYS:
            raise CourseError(f"AWS does not know the keys of the profile {name} ({code})") from None
        if code in DENIED:
            said = error.response["Error"].get("Message", "")
            raise CourseError(
                f"the profile {name} may not do this: it needs {needs or 'more rights'}. {said}"
            ) from None
        raise EngineError(f"the account refused what the profile {name} asked: {error}") from None
