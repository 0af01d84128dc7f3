"""The same as deploy.py, by CDK."""

from cloudkata.cdk.stack import LabStack


class Solution(LabStack):
    def build(self):
        function = self.function("hello", handler="handler.handler", code=self.package("app"), role=self.role("hello"))
        self.output("FunctionName", function.function_name)
