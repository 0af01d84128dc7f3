"""What the two authorizer functions know of tokens."""

import json
import os
import time

from signatures import decoded, is_signed

KEYS = {key["kid"]: key for key in json.loads(os.environ["KEYS"])["keys"]}  # the pool's public keys, by their id
ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]


def bearer(header):
    """The token in the value of an Authorization header, with or without `Bearer` before it."""
    return header.removeprefix("Bearer ")


def read(token):
    """What stands in a token: (header, claims). Anybody can write that. Raises ValueError when it is no token."""
    header, claims, _ = token.split(".")
    return json.loads(decoded(header)), json.loads(decoded(claims))


def verify(token):
    """The claims of an access token of our own app client. Raises ValueError for anything else."""
    header, claims = read(token)
    signed, _, signature = token.rpartition(".")
    # kata: task token
    key = KEYS.get(header.get("kid"))
    if key is None or not is_signed(signed.encode(), decoded(signature), key):
        raise ValueError("not signed by our user pool")
    ours = claims["iss"] == ISSUER and claims["token_use"] == "access" and claims["client_id"] == CLIENT_ID
    if not ours or claims["exp"] <= time.time():
        raise ValueError("not a token for us, or not any more")
    # kata: starter
    # raise ValueError(f"not verified yet: {header} {signed} {signature}")  # is it signed, for us, and still good?
    # kata: end
    return claims
