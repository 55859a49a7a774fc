"""Signatures by the Standard Webhooks specification, version 1 (symmetric).

Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, 2026-11.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a fresh secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, event_id: str, sent_at: datetime, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256 of `id.timestamp.body`; ValueError for a bad secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("the secret is not base64") from None
    signed = f"{event_id}.{int(sent_at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers(
    signing: Sequence[str], event_id: str, sent_at: datetime, body: bytes
) -> dict[str, str]:
    """Return the three headers; during a rotation both secrets sign, parted by a blank."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(sign(one, event_id, sent_at, body) for one in signing),
    }
