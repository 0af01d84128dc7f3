"""Who may: Cognito's pools, and IAM's users, roles and policies."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from cloudkata.targets.things.thing import Listing, Thing, items


def _user_pools(client) -> Iterator[Thing]:
    def delete(key: str) -> None:
        found = client.describe_user_pool(UserPoolId=key)["UserPool"]
        for domain in filter(None, (found.get("Domain"), found.get("CustomDomain"))):
            client.delete_user_pool_domain(UserPoolId=key, Domain=domain)
        if found.get("DeletionProtection") == "ACTIVE":
            client.update_user_pool(UserPoolId=key, DeletionProtection="INACTIVE")
        client.delete_user_pool(UserPoolId=key)

    for one in items(client, "list_user_pools", "UserPools", MaxResults=60):
        key = one["Id"]
        yield Thing(one["Name"], lambda key=key: delete(key), (key,), one.get("Arn", ""))


def _identity_pools(client) -> Iterator[Thing]:
    for one in items(client, "list_identity_pools", "IdentityPools", MaxResults=60):
        key = one["IdentityPoolId"]
        yield Thing(one["IdentityPoolName"], lambda key=key: client.delete_identity_pool(IdentityPoolId=key), (key,))


def _users(client) -> Iterator[Thing]:
    def delete(name: str) -> None:
        user = {"UserName": name}
        for key in items(client, "list_access_keys", "AccessKeyMetadata", **user):
            client.delete_access_key(**user, AccessKeyId=key["AccessKeyId"])
        for policy in items(client, "list_user_policies", "PolicyNames", **user):
            client.delete_user_policy(**user, PolicyName=policy)
        for policy in items(client, "list_attached_user_policies", "AttachedPolicies", **user):
            client.detach_user_policy(**user, PolicyArn=policy["PolicyArn"])
        for group in items(client, "list_groups_for_user", "Groups", **user):
            client.remove_user_from_group(**user, GroupName=group["GroupName"])
        try:
            client.delete_login_profile(**user)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
        client.delete_user(**user)

    for one in items(client, "list_users", "Users"):
        yield Thing(one["UserName"], lambda name=one["UserName"]: delete(name))


def _roles(client) -> Iterator[Thing]:
    def delete(name: str) -> None:
        role = {"RoleName": name}
        for policy in items(client, "list_role_policies", "PolicyNames", **role):
            client.delete_role_policy(**role, PolicyName=policy)
        for policy in items(client, "list_attached_role_policies", "AttachedPolicies", **role):
            client.detach_role_policy(**role, PolicyArn=policy["PolicyArn"])
        for profile in items(client, "list_instance_profiles_for_role", "InstanceProfiles", **role):
            client.remove_role_from_instance_profile(**role, InstanceProfileName=profile["InstanceProfileName"])
        client.delete_role(**role)

    for one in items(client, "list_roles", "Roles"):
        if not one["Path"].startswith("/aws-service-role/"):
            yield Thing(one["RoleName"], lambda name=one["RoleName"]: delete(name))


def _policies(client) -> Iterator[Thing]:
    def delete(arn: str) -> None:
        for version in items(client, "list_policy_versions", "Versions", PolicyArn=arn):
            if not version["IsDefaultVersion"]:
                client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        client.delete_policy(PolicyArn=arn)

    for one in items(client, "list_policies", "Policies", Scope="Local"):
        yield Thing(one["PolicyName"], lambda arn=one["Arn"]: delete(arn))


USER_POOLS = Listing(
    "user pool", "cognito-idp", _user_pools, "/cognito/v2/idp/user-pools?region={region}", ("CreateUserPool",)
)
IDENTITY_POOLS = Listing(
    "identity pool",
    "cognito-identity",
    _identity_pools,
    "/cognito/v2/identity/identity-pools?region={region}",
    ("CreateIdentityPool",),
)
USERS = Listing("user", "iam", _users, "/iam/home#/users/details/{name}")
ROLES = Listing("role", "iam", _roles, "/iam/home#/roles/details/{name}")
POLICIES = Listing("policy", "iam", _policies, "/iam/home#/policies")
