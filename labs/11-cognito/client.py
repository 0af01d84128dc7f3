"""What the club's app does on a member's phone. Everybody can read such a program, so there is no secret in it."""

from srp import Srp


def sign_in(lab, username, password):
    """The tokens of a member: a dictionary with IdToken, AccessToken and RefreshToken."""
    return {}


def credentials(lab, id_token):
    """AWS credentials for the hour: a dictionary with IdentityId, AccessKeyId, SecretKey and SessionToken."""
    return {}
