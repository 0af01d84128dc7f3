"""Says who may call /token: a Lambda authorizer of the type TOKEN. The answer is kept for five minutes."""

from tokens import bearer, verify


def handler(event, context):
    raise Exception("Unauthorized")  # for API Gateway this very word is a 401


def allow(method_arn, verbs):
    """A policy that lets its caller use /token with these verbs. A method's ARN is .../STAGE/VERB/PATH."""
    api, stage = method_arn.split("/")[:2]
    arns = [f"{api}/{stage}/{verb}/token" for verb in verbs]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arns}
    return {"Version": "2012-10-17", "Statement": [statement]}
