"""Signatures of images as cosign makes them with a key: "simple signing" payloads. Pure: bytes in, verdict out.

Source: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md. Certificates and transparency logs of
keyless signing are not verified by this version, and such a signature counts as not verified.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from seawall.core.errors import Hostile, SeawallError

MAX_PAYLOAD = 64 << 10
MAX_SIGNATURE = 8 << 10
TYPES = ("cosign container image signature", "atomic container signature")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key."""

    key: Any
    """Of `cryptography`."""
    fingerprint: str
    """sha256 of its DER form."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What came of one signature."""

    verified: bool
    why: str
    """Why it is not; "" when it is."""
    digest: str = ""
    """Of the manifest it speaks of, as its payload says."""
    reference: str = ""
    """The repository that the signer named."""
    keyless: bool = False
    """It carries a certificate."""


def public_key(pem: bytes) -> Key:
    """Raises SeawallError on what is no public key, or of a kind that signs no images."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    except ImportError as error:
        raise SeawallError(f"signatures cannot be verified here: {error}", "pip install seawall[server]") from error
    try:
        key = serialization.load_pem_public_key(pem[:MAX_PAYLOAD])
    except (ValueError, TypeError) as error:
        raise SeawallError(
            f"this is no public key in PEM form: {error}", "cosign generate-key-pair makes one"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise SeawallError(f"keys of this kind sign no images: {type(key).__name__}")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(key, hashlib.sha256(der).hexdigest())


def check(payload: bytes, signature: str, digests: tuple[str, ...], key: Key, *, keyless: bool = False) -> Signature:
    """Whether `key` signed the payload, and the payload speaks of one of the digests."""
    try:
        digest, reference = _claims(payload)
    except Hostile as error:
        return Signature(False, str(error), keyless=keyless)
    if not _signed(payload, signature, key):
        return Signature(False, "it was not made with this key", digest, reference, keyless)
    if digest not in digests:
        return Signature(False, f"it signs another image, {digest}", digest, reference, keyless)
    return Signature(True, "", digest, reference, keyless)


def _claims(payload: bytes) -> tuple[str, str]:
    """Digest and reference. Raises Hostile on what is no payload."""
    if len(payload) > MAX_PAYLOAD:
        raise Hostile(f"a payload of {len(payload)} bytes")
    try:
        critical = json.loads(payload)["critical"]
        digest, kind = critical["image"]["docker-manifest-digest"], critical["type"]
        reference = critical.get("identity", {}).get("docker-reference", "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Hostile("its payload is of no known form") from error
    if kind not in TYPES or not isinstance(digest, str):
        raise Hostile("its payload is of no known form")
    return digest[:200], reference[:300] if isinstance(reference, str) else ""


def _signed(payload: bytes, signature: str, key: Key) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        raw = base64.b64decode(signature[:MAX_SIGNATURE], validate=True)
    except (ValueError, binascii.Error):
        return False
    try:
        if isinstance(key.key, ec.EllipticCurvePublicKey):
            key.key.verify(raw, payload, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key.key, rsa.RSAPublicKey):
            key.key.verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.key.verify(raw, payload)
    except InvalidSignature:
        return False
    return True
