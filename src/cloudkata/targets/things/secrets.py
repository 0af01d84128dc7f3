"""What is deleted on a later day: KMS keys. And what is kept beside them: secrets and parameters."""

from __future__ import annotations

from collections.abc import Iterator

from cloudkata.targets.things.thing import Listing, Pending, Thing, items, looked_at

_LEAST_DAYS = 7  # https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
_DAY = 86400.0


def _keys(client) -> Iterator[Thing]:
    def schedule(key: str) -> None:
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=_LEAST_DAYS)
        raise Pending("KMS deletes a key after some days only", _LEAST_DAYS * _DAY, soon=False)

    names: dict[str, str] = {}
    for one in items(client, "list_aliases", "Aliases"):
        names.setdefault(one.get("TargetKeyId", ""), one["AliasName"])
    for one in items(client, "list_keys", "Keys"):
        key = one["KeyId"]
        found = looked_at(client.describe_key, KeyId=key).get("KeyMetadata", {})
        if found.get("KeyManager") == "CUSTOMER":
            date = found.get("DeletionDate")
            yield Thing(
                names.get(key) or found.get("Description", ""),
                lambda key=key: schedule(key),
                (key,),
                found.get("Arn", ""),
                until=date.timestamp() if date else 0.0,
            )


def _aliases(client) -> Iterator[Thing]:
    for one in items(client, "list_aliases", "Aliases"):
        if not (name := one["AliasName"]).startswith("alias/aws/"):
            yield Thing(name, lambda name=name: client.delete_alias(AliasName=name), of=(one.get("TargetKeyId", ""),))


def _secrets(client) -> Iterator[Thing]:
    for one in items(client, "list_secrets", "SecretList", IncludePlannedDeletion=True):
        arn, date = one["ARN"], one.get("DeletedDate")
        yield Thing(
            one["Name"],
            lambda arn=arn: client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True),
            arn=arn,
            until=date.timestamp() if date else 0.0,
        )


def _parameters(client) -> Iterator[Thing]:
    for one in items(client, "describe_parameters", "Parameters"):
        name = one["Name"]
        yield Thing(name, lambda name=name: client.delete_parameter(Name=name), arn=one.get("ARN", ""))


KEYS = Listing("KMS key", "kms", _keys, "/kms/home?region={region}#/kms/keys/{id}", ("CreateKey",))
ALIASES = Listing("key alias", "kms", _aliases, "/kms/home?region={region}#/kms/keys")
SECRETS = Listing("secret", "secretsmanager", _secrets, "/secretsmanager/listsecrets?region={region}")
PARAMETERS = Listing("parameter", "ssm", _parameters, "/systems-manager/parameters?region={region}")
