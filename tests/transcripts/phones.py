"""One person's phone on each channel: what they do reaches the app as that provider sends it."""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from commands.playing import CannotPlay, sent
from flows.inputs import Attachment, Pin
from flows.wording import Choice, Prompt, as_lines
from tests.fakes.telegram_people import Group
from tests.fakes.telegram_state import Bubble
from tests.fakes.twilio_state import Text as TwilioText
from tests.transcripts.stage import SENDERS, Stage, wait_until

_numbers = itertools.count(1)
_MEDIA = {
    "voice": "audio/ogg",
    "sticker": "image/webp",
    "photo": "image/jpeg",
    "video": "video/mp4",
    "document": "application/pdf",
    "contact": "text/vcard",
}
_AT_ONCE = re.compile(r"(.+) and at once (.+)")
_OTHERWISE = re.compile(
    r"(an edit|a forward|a mention in a group|a link into a group|a reaction)(?:: | )(.+)"
)


@dataclass(frozen=True)
class Came:
    """One message as it stands on the phone; `id` is the provider's."""

    id: str
    text: str
    labels: tuple[str, ...]
    speaker: str = "bot"


class Phone(Protocol):
    """What a person can do on every channel, and what they see; `number` where there is one."""

    number: str

    def say(self, text: str) -> None: ...

    def press(self, choice: Choice, message: str) -> None: ...

    def send(self, what: str) -> None: ...

    def block(self, *, blocked: bool) -> None: ...

    def seen(self) -> list[Came]:
        """Everything on the screen, oldest first."""

    def expects(self, prompt: Prompt) -> tuple[str, tuple[str, ...]]:
        """The text and labels this channel makes of a message."""


class TelegramPhone:
    """A chat with the bot."""

    number = ""

    def __init__(self, stage: Stage, language: str) -> None:
        self._stage = stage
        self._fake = stage.fakes.telegram
        self._account = next(iter(self._fake.accounts.values()))
        number = 5_000_000 + next(_numbers)
        self._person = self._fake.person(number, language=language, bot=self._account)
        self._groups: list[Group] = []

    def say(self, text: str) -> None:
        self._act(lambda: self._person.send(text))

    def press(self, choice: Choice, message: str) -> None:
        bubble = self._person.chat.bubbles[int(message)]
        self._act(lambda: self._person.press(bubble, choice.payload))

    def send(self, what: str) -> None:
        if found := _AT_ONCE.fullmatch(what):
            pair = found.groups()
            self._act(lambda: [self._person.send(one) for one in pair])
        elif found := _OTHERWISE.fullmatch(what):
            self._act(lambda: self._send_otherwise(found[1], found[2] or ""))
        else:
            self._send_thing(what)

    def _send_otherwise(self, kind: str, text: str) -> None:
        person = self._person
        match kind:
            case "an edit":
                person.edit(person.said[-1], text)
            case "a forward":
                person.forward(text)
            case "a reaction":
                person.react(self._person.last.id, text)
            case _:
                if not self._groups:
                    number = -1_002_000_000_000 - person.id
                    self._groups.append(self._fake.group(number, bot=self._account))
                name = self._account.user["username"]
                by_link = kind == "a link into a group"
                said = f"/start@{name} {text}" if by_link else f"@{name} {text}"
                self._groups[0].say(person, said)

    def _send_thing(self, what: str) -> None:
        person = self._person
        match sent(what):
            case Pin(latitude, longitude):
                self._act(lambda: person.location(latitude, longitude))
            case Attachment("sticker", emoji):
                self._act(lambda: person.sticker(emoji or ""))
            case Attachment("voice"):
                self._act(person.voice)
            case Attachment("photo"):
                self._act(person.photo)
            case Attachment("contact"):
                self._act(lambda: person.contact("+447700900123", own=False))
            case Attachment("document" | "video" as kind):
                self._act(lambda: person.file(kind))
            case other:
                raise CannotPlay(f"{other} is not sent here")

    def block(self, *, blocked: bool) -> None:
        self._act(self._person.block if blocked else self._person.unblock)

    def seen(self) -> list[Came]:
        own = [Came(str(b.id), b.text, tuple(b.labels)) for b in self._person.bubbles]
        theirs = [b for group in self._groups for b in group.chat.bubbles.values()]
        return own + [Came(f"group {b.id}", _stands(b), tuple(b.labels), "group") for b in theirs]

    def expects(self, prompt: Prompt) -> tuple[str, tuple[str, ...]]:
        ticks = {True: "\u2611 ", False: "\u2610 "} if prompt.style == "multi" else {}
        labels = [ticks.get(c.payload in prompt.picked, "") + c.label for c in prompt.choices]
        return prompt.text, (*labels, *(c.label for c in prompt.navigation))

    def _act(self, act: Callable[[], object]) -> None:
        act()
        wait_until(lambda: self._fake.run(lambda: not self._account.waiting))


class TwilioPhone:
    """A phone for SMS, or WhatsApp on it."""

    def __init__(self, stage: Stage, kind: str, number: str = "") -> None:
        self._fake = stage.fakes.twilio
        sender = self._fake.senders[SENDERS[kind]]
        scheme = "whatsapp:" if kind == "whatsapp" else ""
        self.number = number or new_number("+1212555")
        self._phone = self._fake.phone(f"{scheme}{self.number}", sender)

    def say(self, text: str) -> None:
        self._act(lambda: self._phone.send(text))

    def press(self, choice: Choice, message: str) -> None:
        """Press where there are buttons, else send the digit or the word."""
        text = next(text for text in self._phone.inbox if text.sid == message)
        title = next((title for title, payload in text.buttons if payload == choice.payload), None)
        if title is None:
            self.say(choice.digit or choice.label)
        else:
            self._act(lambda: self._phone._press(text, title, choice.payload))

    def send(self, what: str) -> None:
        if found := _AT_ONCE.fullmatch(what):
            for one in found.groups():  # Twilio keeps no order, so the first is at our door before
                self.say(one)
            return
        if found := _OTHERWISE.fullmatch(what):
            if found[1] != "a forward":
                raise CannotPlay(f"{what} does not reach us here")
            self._act(lambda: self._phone.send(found[2], Forwarded="true"))
            return
        match sent(what):
            case Pin(latitude, longitude):
                self._act(lambda: self._phone.location(latitude, longitude))
            case Attachment(kind):
                self._act(lambda: self._phone.media(_MEDIA[kind]))

    def block(self, *, blocked: bool) -> None:
        raise CannotPlay("nobody tells us here that we are blocked")

    def seen(self) -> list[Came]:
        return [_came(text) for text in self._phone.inbox]

    def expects(self, prompt: Prompt) -> tuple[str, tuple[str, ...]]:
        return as_lines(prompt), ()

    def _act(self, act: Callable[[], object]) -> None:
        before = len(self._fake.inbound.deliveries)
        act()
        wait_until(lambda: self._fake.run(lambda: len(self._fake.inbound.deliveries)) > before)


class WhatsAppPhone(TwilioPhone):
    """Up to three buttons, else a list, else lines with digits."""

    def __init__(self, stage: Stage, number: str = "") -> None:
        super().__init__(stage, "whatsapp", number)

    def expects(self, prompt: Prompt) -> tuple[str, tuple[str, ...]]:
        choices = (*prompt.choices, *prompt.navigation)
        if not choices or prompt.style == "multi":
            return as_lines(prompt), ()
        labels = tuple(c.label for c in choices)
        if len(choices) <= 3 and any(len(label) > 20 for label in labels):
            return as_lines(prompt), tuple(c.digit for c in choices)
        return prompt.text, labels


class SimulatorPhone:
    """The small JSON webhook; nothing leaves the house, so nothing is seen but what is said."""

    number = ""

    def __init__(self, stage: Stage, language: str) -> None:
        self._stage = stage
        self._language = language
        self._name = f"phone-{next(_numbers)}"
        self._said: list[Came] = []
        self._ids = itertools.count(1)

    def say(self, text: str) -> None:
        command, _, code = text.partition(" ")
        entry = {"entry": code} if command == "/start" and code else {}
        self._post(text=text, **entry)

    def press(self, choice: Choice, message: str) -> None:
        self._post(press=choice.payload, pressed=message)

    def send(self, what: str) -> None:
        if found := _AT_ONCE.fullmatch(what):
            for one in found.groups():
                self.say(one)
            return
        if found := _OTHERWISE.fullmatch(what):
            if found[1] not in ("an edit", "a forward"):
                raise CannotPlay(f"{what} does not reach us here")
            self._post(text=found[2], event="edited" if found[1] == "an edit" else "message")
            return
        match sent(what):
            case Pin(latitude, longitude):
                self._post(pin=[latitude, longitude])
            case Attachment(kind, emoji):
                self._post(attachment=kind, emoji=emoji)

    def block(self, *, blocked: bool) -> None:
        self._post(event="blocked" if blocked else "unblocked")

    def seen(self) -> list[Came]:
        return self._said

    def expects(self, prompt: Prompt) -> tuple[str, tuple[str, ...]]:
        return prompt.text, ()

    def _post(self, **fields: Any) -> None:
        number = next(self._ids)
        whole = {"id": f"m{number}", "phone": self._name, "language": self._language} | fields
        body = json.dumps(whole).encode()
        headers = {"Content-Type": "application/json"}
        answer = json.loads(self._stage.door.post(self._stage.path, body, headers))
        if answer.get("say"):
            self._said.append(Came(f"said-{number}", answer["say"], ()))


def _stands(bubble: Bubble) -> str:
    """A message as it stands in a group, a poll with its options."""
    return "\n".join(
        [bubble.text, *(f"( ) {one}" for one in (bubble.poll.options if bubble.poll else ()))]
    )


def _came(text: TwilioText) -> Came:
    speaker = "provider" if text.direction == "provider" else "bot"
    return Came(text.sid, text.body, tuple(text.labels), speaker)


def new_number(begins: str) -> str:
    """A made-up number that begins so, of eleven digits, unlike any other."""
    return f"{begins}{next(_numbers):0{12 - len(begins)}d}"


def phone_for(stage: Stage, kind: str, language: str, number: str = "") -> Phone:
    """A person's phone on this channel; of a new person unless the number is given."""
    if kind == "telegram":
        return TelegramPhone(stage, language)
    if kind == "simulator":
        return SimulatorPhone(stage, language)
    return WhatsAppPhone(stage, number) if kind == "whatsapp" else TwilioPhone(stage, kind, number)
