"""The same as deploy.py, by CDK."""

from aws_cdk import aws_lambda as lambda_

from cloudkata.cdk.stack import RUNTIME, LabStack


class Solution(LabStack):
    def build(self):
        prices, austria = self.layer("prices"), self.layer("austria")
        role = self.role("shop")
        orders = self.shop_function("orders", role, [prices])
        invoices = self.shop_function("invoices", role, [prices, austria])
        self.output("LayerArn", prices.layer_version_arn)
        self.output("OrdersFunction", orders.function_name)
        self.output("InvoicesFunction", invoices.function_name)

    def layer(self, name):
        """A new version of a layer, whenever what is below layers/NAME changes."""
        return lambda_.LayerVersion(
            self,
            name,
            layer_version_name=self.name(name),
            code=self.package(f"layers/{name}"),
            compatible_runtimes=[RUNTIME],
        )

    def shop_function(self, name, role, layers):
        return self.function(name, handler=f"{name}.handler", code=self.package("app"), role=role, layers=layers)
