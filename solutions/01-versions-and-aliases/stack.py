"""The same as deploy.py, by CDK."""

from aws_cdk import aws_lambda as lambda_

from cloudkata.cdk.stack import LabStack


class Solution(LabStack):
    def build(self):
        function = self.function(
            "greeter",
            handler="handler.handler",
            code=self.package("app"),
            role=self.role("greeter"),
            environment={"GREETING": "Hello"},
        )
        # `current_version` is a new version whenever the code or the settings change.
        alias = lambda_.Alias(self, "live", alias_name="live", version=function.current_version)
        self.output("FunctionName", function.function_name)
        self.output("AliasArn", alias.function_arn)
