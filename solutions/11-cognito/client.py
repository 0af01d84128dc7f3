"""What the club's app does on a member's phone. Everybody can read such a program, so there is no secret in it."""

from srp import Srp


def sign_in(lab, username, password):
    """The tokens of a member: a dictionary with IdToken, AccessToken and RefreshToken."""
    # kata: task sign-in
    idp = lab.client("cognito-idp")
    srp = Srp(lab.outputs["UserPoolId"])
    challenge = idp.initiate_auth(
        ClientId=lab.outputs["ClientId"],
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": username, "SRP_A": srp.public_value},
    )
    answer = idp.respond_to_auth_challenge(
        ClientId=lab.outputs["ClientId"],
        ChallengeName=challenge["ChallengeName"],
        ChallengeResponses=srp.proof(password, challenge["ChallengeParameters"]),
    )
    return answer["AuthenticationResult"]
    # kata: starter
    # return {}
    # kata: end


def credentials(lab, id_token):
    """AWS credentials for the hour: a dictionary with IdentityId, AccessKeyId, SecretKey and SessionToken."""
    # kata: task credentials
    identities = lab.client("cognito-identity")
    logins = {f"cognito-idp.{lab.region}.amazonaws.com/{lab.outputs['UserPoolId']}": id_token}
    identity = identities.get_id(IdentityPoolId=lab.outputs["IdentityPoolId"], Logins=logins)["IdentityId"]
    keys = identities.get_credentials_for_identity(IdentityId=identity, Logins=logins)["Credentials"]
    return {"IdentityId": identity, **{name: keys[name] for name in ("AccessKeyId", "SecretKey", "SessionToken")}}
    # kata: starter
    # return {}
    # kata: end
