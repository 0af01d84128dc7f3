"""The same as deploy.py, by CDK."""

from cloudkata.cdk.stack import LabStack


class Solution(LabStack):
    def build(self):
        self.output("WalletTable", self.table("wallet", "pk").table_name)
