"""Says who may call /token: a Lambda authorizer of the type TOKEN. The answer is kept for five minutes."""

from tokens import bearer, verify


def handler(event, context):
    # kata: task token
    try:
        claims = verify(bearer(event["authorizationToken"]))
    except ValueError:
        raise Exception("Unauthorized") from None
    editor = "editors" in claims.get("cognito:groups", [])
    return {
        "principalId": claims["username"],
        "policyDocument": allow(event["methodArn"], ["GET", "POST"] if editor else ["GET"]),
        "context": {"role": "editor" if editor else "reader"},
    }
    # kata: starter
    # raise Exception("Unauthorized")  # for API Gateway this very word is a 401
    # kata: end


def allow(method_arn, verbs):
    """A policy that lets its caller use /token with these verbs. A method's ARN is .../STAGE/VERB/PATH."""
    api, stage = method_arn.split("/")[:2]
    arns = [f"{api}/{stage}/{verb}/token" for verb in verbs]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arns}
    return {"Version": "2012-10-17", "Statement": [statement]}
