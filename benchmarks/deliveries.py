"""Webhook deliveries as Telegram and Twilio send them, and the numbers they carry."""

import base64
import hashlib
import hmac
import json
import time
from typing import Protocol
from urllib.parse import quote_plus

# North American area codes of the form N9X are reserved for longer numbers and given to nobody,
# so a member's number cannot be that of a person, whatever a test set-up does with it.
FIRST_MEMBER = 1_290_000_0000
MEMBERS = 100_000_000
BLOCK = 20_000


class Serials:
    """Delivery ids that no other delivery to the same database ever carries.

    They count up from the microsecond the driver started in: one process gives every id once, over
    all its points and rounds, and a later process starts above, as long as fewer than a million
    deliveries a second are made. A target that refuses repeats stays silent on an id used twice.
    """

    def __init__(self) -> None:
        self._last = time.time_ns() // 1000

    def next(self) -> int:
        """One id more than the last."""
        self._last += 1
        return self._last


class Members:
    """Blocks of people nobody has registered before, one block for each measured point."""

    def __init__(self) -> None:
        # A point lasts longer than two seconds, so a later run begins above an earlier one.
        self._block = int(time.time()) // 2 % (MEMBERS // BLOCK)

    def next_block(self) -> range:
        """BLOCK member ids; the id is the Telegram user and, with a plus, the phone number."""
        self._block = (self._block + 1) % (MEMBERS // BLOCK)
        first = FIRST_MEMBER + self._block * BLOCK
        return range(first, first + BLOCK)


class Deliveries(Protocol):
    """How one provider's webhook request is built."""

    start: str

    def request(self, member: int, text: str, serial: int) -> bytes:
        """The whole HTTP request that carries this text of this member."""


class Telegram:
    """Updates with the secret header."""

    start = "/start"

    def __init__(self, host: str, path: str, secret: str) -> None:
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: "
        ).encode()

    def request(self, member: int, text: str, serial: int) -> bytes:
        """An update with one text message; update and message id come from the serial."""
        person = {"id": member, "first_name": "M", "username": f"m{member}"}
        message = {
            "message_id": serial & 0x7FFFFFFF,
            "date": int(time.time()),
            "from": {**person, "is_bot": False, "language_code": "en"},
            "chat": {**person, "type": "private"},
            "text": text,
        }
        if text[0] == "/":
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
        body = json.dumps({"update_id": serial, "message": message}).encode()
        return b"%b%d\r\n\r\n%b" % (self.head, len(body), body)


class Twilio:
    """SMS forms with a valid signature over `url`, the address the provider believes to call."""

    start = "START"

    def __init__(self, host: str, path: str, token: str, url: str | None = None) -> None:
        self.url, self.token = url or f"http://{host}{path}", token.encode()
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
        ).encode()

    def request(self, member: int, text: str, serial: int) -> bytes:
        """One inbound SMS; its MessageSid is the serial."""
        sid = f"SM{serial:032x}"
        form = {  # the signature wants the keys sorted, and they are
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "Body": text,
            "From": f"+{member}",
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": "+15550000000",
        }
        signed = self.url + "".join(key + value for key, value in form.items())
        digest = hmac.new(self.token, signed.encode(), hashlib.sha1).digest()
        body = "&".join(f"{key}={quote_plus(value)}" for key, value in form.items()).encode()
        return b"%bX-Twilio-Signature: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            self.head,
            base64.b64encode(digest),
            len(body),
            body,
        )
