"""The same as deploy.py, by CDK."""

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam

from cloudkata.cdk.stack import LabStack

IDENTITIES = "cognito-identity.amazonaws.com"


class Solution(LabStack):
    def build(self):
        pool = self.user_pool(
            "members",
            self_sign_up_enabled=True,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            lambda_triggers=cognito.UserPoolTriggers(  # CDK lets the pool call them
                pre_sign_up=self.trigger("pre_sign_up"), pre_token_generation=self.trigger("pre_token")
            ),
        )
        client = pool.add_client(
            "app",
            user_pool_client_name=self.name("app"),
            auth_flows=cognito.AuthFlow(user_srp=True),
            prevent_user_existence_errors=True,
            disable_o_auth=True,
        )
        bucket = self.bucket("photos")
        identities = cognito.CfnIdentityPool(
            self,
            "identities",
            identity_pool_name=self.name("identities"),
            allow_unauthenticated_identities=False,
            cognito_identity_providers=[
                cognito.CfnIdentityPool.CognitoIdentityProviderProperty(
                    client_id=client.user_pool_client_id, provider_name=pool.user_pool_provider_name
                )
            ],
        )
        role = self.members_role(identities, bucket)
        cognito.CfnIdentityPoolRoleAttachment(
            self, "roles", identity_pool_id=identities.ref, roles={"authenticated": role.role_arn}
        )
        self.output("UserPoolId", pool.user_pool_id)
        self.output("ClientId", client.user_pool_client_id)
        self.output("IdentityPoolId", identities.ref)
        self.output("PhotosBucket", bucket.bucket_name)
        self.output("AuthenticatedRoleArn", role.role_arn)

    def trigger(self, name):
        base = name.replace("_", "-")
        return self.function(base, handler=f"{name}.handler", code=self.package("app"), role=self.role(base))

    def members_role(self, identities, bucket):
        """The role whose credentials members get: who may have them, and what for."""
        own = bucket.arn_for_objects(f"${{{IDENTITIES}:sub}}/*")
        allow = iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=[own])
        role = iam.Role(
            self,
            "authenticated",
            role_name=self.name("authenticated"),
            assumed_by=iam.WebIdentityPrincipal(
                IDENTITIES,
                {
                    "StringEquals": {f"{IDENTITIES}:aud": identities.ref},
                    "ForAnyValue:StringLike": {f"{IDENTITIES}:amr": "authenticated"},
                },
            ),
            inline_policies={"photos": iam.PolicyDocument(statements=[allow])},
        )
        shown = bucket.arn_for_objects(f"<{IDENTITIES}:sub>/*")
        self.justify_wildcard(role, shown, "What lies in a member's own folder.")
        return role
