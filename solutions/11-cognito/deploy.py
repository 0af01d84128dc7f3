"""Deploys the photo club: a user pool with triggers, the app's client, an identity pool and the members' role."""

import json

IDENTITIES = "cognito-identity.amazonaws.com"


def deploy(lab):
    functions = {name: make_function(lab, name) for name in ("pre_sign_up", "pre_token")}
    user_pool = make_user_pool(lab, functions)
    client_id = make_client(lab, user_pool)
    bucket = make_bucket(lab)
    identity_pool = make_identity_pool(lab, user_pool, client_id)
    role = make_role(lab, identity_pool, bucket)
    # kata: task credentials
    roles = {"authenticated": role}
    lab.client("cognito-identity").set_identity_pool_roles(IdentityPoolId=identity_pool, Roles=roles)
    # kata: starter
    # kata: end
    lab.outputs["UserPoolId"] = user_pool
    lab.outputs["ClientId"] = client_id
    lab.outputs["IdentityPoolId"] = identity_pool
    lab.outputs["PhotosBucket"] = bucket
    lab.outputs["AuthenticatedRoleArn"] = role


def make_user_pool(lab, functions):
    """The directory of the members. Cognito calls the functions in LambdaConfig, if their policy lets it."""
    triggers = {}
    # kata: task sign-up
    triggers["PreSignUp"] = functions["pre_sign_up"]
    # kata: starter
    # kata: end
    # kata: task claims
    triggers["PreTokenGeneration"] = functions["pre_token"]
    # kata: starter
    # kata: end
    pool = lab.client("cognito-idp").create_user_pool(
        PoolName=lab.name("members"), AutoVerifiedAttributes=["email"], LambdaConfig=triggers
    )["UserPool"]
    # kata: task sign-up
    permit(lab, functions["pre_sign_up"], pool["Arn"])
    # kata: starter
    # kata: end
    # kata: task claims
    permit(lab, functions["pre_token"], pool["Arn"])
    # kata: starter
    # kata: end
    return pool["Id"]


def make_client(lab, user_pool):
    """What the app is to the user pool."""
    client = lab.client("cognito-idp").create_user_pool_client(
        UserPoolId=user_pool,
        ClientName=lab.name("app"),
        # kata: task client
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
        # kata: starter
        # GenerateSecret=True,
        # ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        # kata: end
    )
    return client["UserPoolClient"]["ClientId"]


def make_identity_pool(lab, user_pool, client_id):
    """Exchanges the user pool's tokens for AWS credentials."""
    pool = lab.client("cognito-identity").create_identity_pool(
        IdentityPoolName=lab.name("identities"),
        # kata: task credentials
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[
            {"ProviderName": f"cognito-idp.{lab.region}.amazonaws.com/{user_pool}", "ClientId": client_id}
        ],
        # kata: starter
        # AllowUnauthenticatedIdentities=True,
        # kata: end
    )
    return pool["IdentityPoolId"]


def make_role(lab, identity_pool, bucket):
    """The role whose credentials members get: who may have them, and what for."""
    iam = lab.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": IDENTITIES},
        "Action": "sts:AssumeRoleWithWebIdentity",
        # kata: task credentials
        "Condition": {
            "StringEquals": {f"{IDENTITIES}:aud": identity_pool},
            "ForAnyValue:StringLike": {f"{IDENTITIES}:amr": "authenticated"},
        },
        # kata: starter
        # kata: end
    }
    photos = {
        "Effect": "Allow",
        # kata: task credentials
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{bucket}/${{{IDENTITIES}:sub}}/*",
        # kata: starter
        # "Action": "s3:*",
        # "Resource": "*",
        # kata: end
    }
    role = iam.create_role(RoleName=lab.name("authenticated"), AssumeRolePolicyDocument=policy(trust))["Role"]
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="photos", PolicyDocument=policy(photos))
    return role["Arn"]


def make_bucket(lab):
    bucket = lab.name("photos")
    lab.client("s3").create_bucket(Bucket=bucket)
    return bucket


def make_function(lab, name):
    """A function from app/, ready to be called; its ARN."""
    functions = lab.client("lambda")
    made = functions.create_function(
        FunctionName=lab.name(name.replace("_", "-")),
        Runtime="python3.13",
        Handler=f"{name}.handler",
        Role=lab.role(name.replace("_", "-")),
        Code={"ZipFile": lab.package("app")},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=made["FunctionName"])
    return made["FunctionArn"]


def permit(lab, function, user_pool_arn):
    """Let a user pool call a function."""
    lab.client("lambda").add_permission(
        FunctionName=function,
        StatementId="user-pool",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
        SourceArn=user_pool_arn,
    )


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
