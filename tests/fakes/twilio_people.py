"""People with a phone: they text, tap and go silent; Twilio signs what they say."""

from typing import TYPE_CHECKING

from tests.fakes.twilio_state import HELP_WORDS, START_WORDS, STOP_WORDS, Sender, Text

if TYPE_CHECKING:
    from tests.fakes.twilio import FakeTwilio

Pairs = list[tuple[str, str]]


class Phone:
    """One number (or WhatsApp id) talking with one sender; usable from any thread.

    `address` is Twilio's: "+447700900123", "whatsapp:+447700900123" or "whatsapp:US.1349".
    """

    def __init__(self, fake: "FakeTwilio", sender: Sender, address: str) -> None:
        self._fake = fake
        self._sender = sender
        self.address = address
        self.inbox: list[Text] = []
        self.blocked = False
        self.reachable = True
        self.reads = True

    @property
    def on_whatsapp(self) -> bool:
        """Whether this is a WhatsApp app rather than a phone for SMS."""
        return self.address.startswith("whatsapp:")

    @property
    def last(self) -> Text:
        """The latest message that came; LookupError when none did."""
        return self.inbox[-1]

    def send(self, text: str, **more: str) -> str:
        """Send a text; returns the MessageSid."""
        return self._fake.run(lambda: self._send(text, more))

    def tap(self, label: str) -> str:
        """Press a button or a list row, on the newest message that has it."""
        for text in reversed(self.inbox):
            for title, payload in text.buttons:
                if title == label:
                    return self._press(text, title, payload)
        raise LookupError(f"no message with the button {label!r}")

    def _press(self, text: Text, title: str, payload: str) -> str:
        asked = {"OriginalRepliedMessageSid": text.sid}
        if len(text.buttons) > 3:
            return self.send(
                "", ListId=payload, ListTitle=title, MessageType="interactive", **asked
            )
        return self.send(
            title, ButtonPayload=payload, ButtonText=title, MessageType="button", **asked
        )

    def location(self, latitude: float, longitude: float) -> str:
        """Share a place."""
        return self.send(
            "", Latitude=str(latitude), Longitude=str(longitude), MessageType="location"
        )

    def media(self, content_type: str = "image/jpeg", text: str = "") -> str:
        """Send a picture or a voice note."""
        place = f"/2010-04-01/Accounts/{self._fake.account_sid}/Messages/MM1/Media/ME1"
        url = f"https://api.twilio.com{place}"
        return self.send(text, NumMedia="1", MediaUrl0=url, MediaContentType0=content_type)

    def block(self) -> None:
        """Block the sender."""
        self.blocked = True

    def unblock(self) -> None:
        """Take the block away."""
        self.blocked = False

    def wait_for(self, count: int, seconds: float = 10) -> Text:
        """Wait until `count` messages came; returns the latest."""
        self._fake.wait_until(lambda: len(self.inbox) >= count, seconds)
        return self.last

    def _send(self, text: str, more: dict[str, str]) -> str:
        sid = self._fake.next_sid("SM")
        opt_out = self._opt_out(text)
        fields = [*self._envelope(sid, text), *more.items()]
        if opt_out and self._sender.advanced_opt_out:
            fields.append(("OptOutType", opt_out))
        if self.on_whatsapp:
            self._sender.windows[self.address] = self._fake.clock.elapsed()
        merged = list(dict(fields).items())
        self._fake.inbound.push(self._sender, sid, merged)
        return sid

    def _opt_out(self, text: str) -> str:
        """What Twilio itself makes of the words; it answers them, and so must nobody else."""
        word = text.strip().casefold()
        if self.on_whatsapp and not self._sender.advanced_opt_out:
            return ""
        if word in STOP_WORDS:
            self._sender.opted_out.add(self.address)
            self._provider_says("You have successfully been unsubscribed.")
            return "STOP"
        if word in START_WORDS and self.address in self._sender.opted_out:
            self._sender.opted_out.discard(self.address)
            self._provider_says("You have successfully been re-subscribed.")
            return "START"
        if word in HELP_WORDS:
            self._provider_says("Reply STOP to unsubscribe.")
            return "HELP"
        return ""

    def _provider_says(self, text: str) -> None:
        now = self._fake.clock.elapsed()
        self.inbox.append(
            Text(self._fake.next_sid("SM"), "twilio", self.address, text, "provider", "sent", now)
        )
        self._fake.changed()

    def _envelope(self, sid: str, text: str) -> Pairs:
        to = self._fake.number_of(self._sender)
        common = [
            ("SmsMessageSid", sid), ("NumMedia", "0"), ("SmsSid", sid), ("SmsStatus", "received"),
            ("Body", text), ("NumSegments", "1"), ("MessageSid", sid),
            ("AccountSid", self._fake.account_sid), ("From", self.address),
            ("ApiVersion", "2010-04-01"),
        ]  # fmt: skip
        if self._sender.address.startswith("MG"):
            common.append(("MessagingServiceSid", self._sender.address))
        if not self.on_whatsapp:
            empty = [
                (f"{end}{part}", "") for end in ("From", "To") for part in ("City", "State", "Zip")
            ]
            return [*common, *empty, ("To", to), ("FromCountry", "GB"), ("ToCountry", "GB")]
        path = self.address.removeprefix("whatsapp:")
        known = path.startswith("+")
        own = [("ExternalUserId", self.address)] if not known else []
        return [
            *common, *own, ("To", f"whatsapp:{to}"), ("ProfileName", "Somebody \U0001f30d"),
            ("MessageType", "text"), ("WaId", path.lstrip("+") if known else ""),
            ("ReferralNumMedia", "0"),
        ]  # fmt: skip
