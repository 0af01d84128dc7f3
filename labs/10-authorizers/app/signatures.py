"""Checks signatures of the kind RS256 with the standard library alone. Finished: nothing to do here."""

import base64
import hashlib

# What stands before a SHA-256 hash in an RSA signature: RFC 8017, section 9.2.
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def decoded(text):
    """The bytes of a part of a token."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def is_signed(text, signature, key):
    """Whether `signature` is that of `text` by the public key `key`, an entry of a JSON Web Key Set."""
    modulus, exponent = (int.from_bytes(decoded(key[name]), "big") for name in ("n", "e"))
    size = (modulus.bit_length() + 7) // 8
    end = b"\x00" + _SHA256 + hashlib.sha256(text).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(end) - 2) + end
    if len(signature) != size:
        return False
    return pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == expected
