"""The solutions as stacks of AWS CDK: synthesized apart, deployed by CloudFormation through a target's session."""
