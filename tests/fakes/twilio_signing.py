"""Twilio's signatures, written from the description and not from the library (reference 3.2)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit


def signature(secret: str, url: str, pairs: Sequence[tuple[str, str]], digest: str = "sha1") -> str:
    """The value of X-Twilio-Signature for a form post to this URL (its fragment left out)."""
    text = urlunsplit(urlsplit(url)._replace(fragment=""))
    for name in sorted({name for name, _ in pairs}):
        for value in sorted({value for other, value in pairs if other == name}):
            text += name + value
    made = hmac.new(secret.encode(), text.encode(), getattr(hashlib, digest)).digest()
    return base64.b64encode(made).decode()


def json_url(url: str, body: bytes) -> str:
    """The URL with the body's hash, as Twilio signs JSON."""
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}bodySHA256={hashlib.sha256(body).hexdigest()}"
