"""An embedded engine that plays a real account: an administrator in it, and a profile that leads there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudkata.targets import lab_roles
from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.lab_roles import LabPolicy
from cloudkata.targets.profile import open_profile
from cloudkata.targets.session import Keys, Session, plain_client

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Played:
    """The account's number, its root keys (for looking), its administrator's, and a folder with AWS's two files."""

    engine: object
    account: str
    root: Keys
    keys: Keys
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """What leads botocore to the files, and user-wide folders to others than the user's."""
        return {
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "XDG_CONFIG_HOME": str(self.folder / "settings"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "HOME": str(self.folder),
        }

    def client(self, service: str, keys: Keys | None = None):
        """A client with the keys of root, or others."""
        return plain_client(service, "us-east-1", self.engine.endpoint, keys or self.root, None)

    def profile(self, name: str, keys: Keys | None = None, **settings) -> str:
        """Add a profile with the administrator's keys, or others; its name."""
        keys = keys or self.keys
        lines = {"region": "us-east-1", "endpoint_url": self.engine.endpoint, **settings}
        with (self.folder / "config").open("a", encoding="utf-8") as file:
            file.write(f"[profile {name}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value))
        with (self.folder / "credentials").open("a", encoding="utf-8") as file:
            file.write(f"[{name}]\naws_access_key_id = {keys.access_key_id}\n")
            file.write(f"aws_secret_access_key = {keys.secret_access_key}\n")
        return name

    def user(self, name: str, policy: dict) -> Keys:
        """A new user of the account with one policy; its keys."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])


def session_under(target: EmbeddedTarget, played: Played, policy: LabPolicy) -> Session:
    """A session on the engine itself, where learner code has the keys of a lab's role with exactly this policy.

    All that the embedded target shows can be checked there. The environment must be that of `played`.
    """
    profile = open_profile("sandbox")
    lab_roles.make(profile, [policy])
    prefix = f"kata{policy.number}-{secrets.token_hex(2)}"
    learner = lab_roles.assume(profile, policy, prefix)
    made = target.session_in(played.account, learner, prefix)
    return dataclasses.replace(made, boundary=lab_roles.boundary_arn(played.account), _clients={})


def without(policy: LabPolicy, action: str) -> LabPolicy:
    """The same policy without an action."""
    document = json.loads(policy.document)
    for statement in document["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    document["Statement"] = [one for one in document["Statement"] if one["Action"]]
    return LabPolicy(policy.number, json.dumps(document))


def actions(policy: LabPolicy) -> list[str]:
    return sorted(one for statement in json.loads(policy.document)["Statement"] for one in statement["Action"])


@contextlib.contextmanager
def play(folder: Path, engine=None) -> Iterator[Played]:
    """An account of an engine that is there, or of one that ends with the context. Its profile is `sandbox`."""
    with contextlib.ExitStack() as stack:
        engine = engine or stack.enter_context(EmbeddedTarget()).engine
        yield in_account(engine, folder)


def in_account(engine, folder: Path) -> Played:
    """A new account on an engine, with an administrator whose profile is `sandbox`."""
    issued = engine.issue("learner")
    root = Keys(issued.access_key_id, issued.secret_access_key)
    bare = Played(engine, issued.account, root, root, folder)
    made = Played(engine, issued.account, root, bare.user("admin", EVERYTHING), folder)
    made.profile("sandbox")
    return made
