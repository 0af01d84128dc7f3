"""The arithmetic of the Secure Remote Password protocol, as Cognito uses it. Finished: there is nothing to do here.

The client proves that it knows the password without sending it. Both sides send a public number; from those, its own
secret and the password each computes the same key; the client signs with that key.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime

# The 3072-bit group of RFC 3526, with 2 as its generator.
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Srp:
    """One sign-in at a user pool."""

    def __init__(self, user_pool_id):
        self._pool = user_pool_id.partition("_")[2]
        self._secret = secrets.randbits(1024)
        self._public = pow(G, self._secret, N)

    @property
    def public_value(self):
        """What the first request carries as SRP_A."""
        return format(self._public, "x")

    def proof(self, password, parameters):
        """The ChallengeResponses that answer a PASSWORD_VERIFIER challenge with these ChallengeParameters."""
        user = parameters["USER_ID_FOR_SRP"]
        block = parameters["SECRET_BLOCK"]
        now = timestamp(datetime.now(UTC))
        key = self._key(user, password, int(parameters["SALT"], 16), int(parameters["SRP_B"], 16))
        message = (self._pool + user).encode() + base64.b64decode(block) + now.encode()
        return {
            "USERNAME": user,
            "TIMESTAMP": now,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        }

    def _key(self, user, password, salt, other):
        if other % N == 0:
            raise ValueError("the answer of the user pool is not safe to use")
        identity = hashlib.sha256(f"{self._pool}{user}:{password}".encode()).digest()
        x = number(padded(salt), identity)
        u = number(padded(self._public), padded(other))
        k = number(padded(N), padded(G))
        shared = pow(other - k * pow(G, x, N), self._secret + u * x, N)
        extracted = hmac.digest(padded(u), padded(shared), "sha256")
        return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]


def padded(value):
    """A number as bytes, with a zero in front where the first bit is set."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def number(*parts):
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def timestamp(moment):
    """A time as Cognito reads it: `Tue Nov 3 08:05:00 UTC 2026`."""
    return f"{DAYS[moment.weekday()]} {MONTHS[moment.month - 1]} {moment.day} {moment:%H:%M:%S} UTC {moment.year}"
