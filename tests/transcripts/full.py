"""A transcript through webhook, database and delivery on one channel."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from commands.chats import Act, Chat, Shown, Turn
from commands.playing import as_shown, button, passed
from flows.wording import LANGUAGES, Prompt
from models import Direction, Message
from models.db import transaction
from models.sealed import open_sealed
from services.messages.rendering import read_told, render, told_openly, with_link
from services.people.registrations import person_keys
from tests.transcripts import record
from tests.transcripts.phones import Phone, phone_for
from tests.transcripts.relaying import Relaying
from tests.transcripts.stage import Stage, wait_until

BETWEEN_TURNS = timedelta(seconds=1)
RECEIPT = re.compile(r"[0-9A-F]{6}-\d{8}")
ONCE = frozenset({"link", "code"})
"""What is told to one person and is another each time it is played."""
REGISTERING = ("1", "Kenya", "1,2", "Nairobi")
"""Consent, country, alerts and polls, and town of somebody who is a member already."""
SENT = ("sent", "delivered", "read")


class FullRun:
    """Plays acts on a phone and tells what came of them, from the database and the phone alike."""

    def __init__(self, stage: Stage, phone: Phone, kind: str, language: str = "en") -> None:
        self._stage, self._phone, self._kind = stage, phone, kind
        self._prompts: list[tuple[Prompt, str]] = []
        self._told: set[str] = set()
        self._on_screen: set[str] = set()
        self._given: dict[str, str] = {}
        self._phones: dict[str, Phone] = {kind: phone}
        self._language = language
        self._by_sms = False
        self._relaying = Relaying(stage)

    def play(self, chat: Chat) -> list[Turn]:
        """The turns as they really went; a member has registered before the first."""
        self._by_sms = chat.channels == ("sms",)
        if chat.member:
            for said in ("hello", str(LANGUAGES.index(chat.language) + 1), *REGISTERING):
                self._phone.say(said)
                self._stage.settle()
            self._shown()
        return [self._turn(turn) for turn in chat.turns]

    def _turn(self, turn: Turn) -> Turn:
        self._stage.clock.advance(BETWEEN_TURNS)
        before = self._record()
        self._do(turn.act)
        self._stage.settle()
        effects = record.effects(before, self._record())
        return Turn(turn.act, effects, self._shown(), turn.notes)

    def _record(self) -> record.Record:
        return record.read(self._stage.line.engine, self._stage.organisation_id)

    # --- what a person does and what happens ---

    def _do(self, act: Act) -> None:
        if act.kind == "says":
            self._phone.say(self._filled(act.text))
        elif act.kind == "sends":
            self._phone.send(act.text)
        elif act.kind == "happens":
            self._happen(act.text)
        else:
            self._press(act)

    def _filled(self, text: str) -> str:
        """The words with the entry code, and with what only this person was told."""
        text = text.replace("{entry}", self._stage.code).replace("{poll}", self._stage.poll)
        for name, value in (self._given | self._relaying.codes()).items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _press(self, act: Act) -> None:
        known = self._prompts[:-1] if act.kind == "presses_old" else self._prompts
        choice = button([prompt for prompt, _ in known], act.text)
        holds = [
            message for prompt, message in known if choice in (*prompt.choices, *prompt.navigation)
        ]
        self._phone.press(choice, holds[-1])

    def _happen(self, text: str) -> None:
        step = passed(text)
        if step is not None:
            self._stage.pass_time(step)
        elif text == "the last message arrives again":
            knocked = self._stage.door.last
            assert knocked is not None
            self._stage.door.post(knocked.path, knocked.body, knocked.headers)
        elif text.startswith("on "):
            self._turn_to(text.removeprefix("on "))
        elif text == "the provider is busy once":
            self._be_busy_once()
        elif text in ("person blocks us", "person unblocks us"):
            self._phone.block(blocked=text == "person blocks us")
        elif text == "the message is delivered":
            wait_until(lambda: self._last_status() in ("delivered", "read"))
        elif not self._stage.asking.happens(text):
            self._pass_on(text)

    def _pass_on(self, text: str) -> None:
        if text == "person adds us to a group by the link":
            self._phone.send(f"a link into a group: {self._relaying.codes()['relay']}")
            self._stage.line.groups.post()
        else:
            self._given |= self._relaying.happen(text, self._phone.number)

    def _turn_to(self, kind: str) -> None:
        """The same person goes on with another app, or comes back to one."""
        if kind not in self._phones:
            self._stage.open_channel(kind, self._language)
            number = self._phone.number if kind in ("sms", "whatsapp") else ""
            self._phones[kind] = phone_for(self._stage, kind, self._language, number)
        self._kind, self._phone = kind, self._phones[kind]

    def _be_busy_once(self) -> None:
        fakes = self._stage.fakes
        if self._kind == "telegram":
            fakes.telegram.script.add("too_many", times=1, method="sendMessage", retry_after=3)
        elif self._kind in ("sms", "whatsapp"):
            fakes.twilio.script.add("too_many", times=1, method="messages", retry_after=3)

    def _last_status(self) -> str:
        return self._messages()[-1].status.value

    # --- what came of it ---

    def _shown(self) -> tuple[Shown, ...]:
        screens = {p: {came.id: came for came in p.seen()} for p in self._phones.values()}
        screen = screens[self._phone]
        shown: list[Shown] = []
        for message in self._messages():
            if str(message.id) in self._told or message.status.value not in SENT:
                continue
            self._told.add(str(message.id))
            assert message.provider_id is not None
            alone = self._told_alone(message)
            prompt = self._prompt(message, alone)
            self._given |= alone
            self._prompts.append((prompt, message.provider_id))
            self._on_screen.add(message.provider_id)
            there = next((p for p, seen in screens.items() if message.provider_id in seen), None)
            if there:
                came = screens[there][message.provider_id]
                assert (came.text, came.labels) == there.expects(prompt)
            told = {name: f"{{{name}}}" if name in ONCE else alone[name] for name in alone}
            said = as_shown(self._prompt(message, told))
            text = f"{said.text}\n{prompt.hint}" if prompt.hint and self._by_sms else said.text
            said = replace(said, text=self._without_code(self._relaying.masked(text)))
            here = there in (None, self._phone)
            shown.append(said if here else replace(said, speaker="elsewhere"))
        for came in screen.values():
            if came.id not in self._on_screen:
                self._on_screen.add(came.id)
                text = self._relaying.masked(RECEIPT.sub("{receipt}", came.text))
                shown.append(Shown(text, came.labels, came.speaker))
        return tuple(shown)

    def _without_code(self, text: str) -> str:
        """The text without the poll's code, which is another each time it is played."""
        code = self._stage.poll.upper()
        return text.replace(code, "{poll}") if code else text

    def _messages(self) -> list[Message]:
        with transaction(self._stage.line.engine, self._stage.organisation_id) as db:
            said = select(Message).where(Message.direction == Direction.OUT)
            return list(db.scalars(said.order_by(Message.id)))

    def _prompt(self, message: Message, told: Mapping[str, str]) -> Prompt:
        catalogue = self._stage.line.directory.read_catalogue(self._stage.organisation_id)
        version = message.flow_version_id
        published = catalogue.version(version) if version else None
        return render(
            message.content or {},
            flow=published.flow if published else None,
            language=message.language,
            names=catalogue.names(None),
            told=told,
        )

    def _told_alone(self, message: Message) -> dict[str, str]:
        """What this message says to this person alone: a link, a code."""
        if message.sealed is None:
            return with_link(told_openly(message.content or {}), self._stage.door.url)
        with transaction(self._stage.line.engine, self._stage.organisation_id) as db:
            key = person_keys(db, self._stage.line.keyring, {message.contact_id})
        plain = open_sealed(
            key[message.contact_id],
            message.sealed,
            table="messages",
            column="sealed",
            organisation_id=message.organisation_id,
            row_id=message.id,
        )
        return with_link(read_told(plain), self._stage.door.url)
