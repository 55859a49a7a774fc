"""Golden transcripts as files: a conversation that people read and tests play.

    A person corrects a wrong age, then stops.
    flow: registration      language: en

    person: hello
      * consent granted: registration
    bot:    How old are you?
            [Skip] [Back]
    (3 hours pass)

A sentence of intent, the header, then turns: what a person does or what happens, its effects, and
what is said in answer. A line of a message stands at column 8; where it is wrapped for reading it
goes on at column 10. Options are those before any channel formats them, a tick before the picked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

KEYS: Final = ("flow", "also", "asks", "mode", "member", "language", "runs", "channels", "number")
RUNS: Final = ("engine", "full")
CHANNELS: Final = ("telegram", "whatsapp", "sms", "simulator")
SPEAKERS: Final = ("bot", "provider", "elsewhere", "group")
WIDTH: Final = 100
_TEXT, _WRAPPED = " " * 8, " " * 10
_HEADER: Final = re.compile(r"(\w+): +(.+?)(?= {2,}\w+: |$)")
_OPTION: Final = re.compile(r"\[([^\]]*)\]")
_PRESSES: Final = re.compile(r"person presses (the old )?\[(.+)\]")
_SENDS: Final = re.compile(r"person sends (.+)")


class ChatInvalid(ValueError):
    """The file is no transcript; the message names the line."""


@dataclass(frozen=True, slots=True)
class Act:
    """What starts a turn: somebody says, presses or sends something, or something happens.

    kind: says | presses | presses_old | sends | happens.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One message to the person: its text and options, before any channel formats them."""

    text: str
    options: tuple[str, ...] = ()
    speaker: str = "bot"


@dataclass(frozen=True, slots=True)
class Turn:
    """An act with what came of it; `notes` are comment lines before it."""

    act: Act
    effects: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """One transcript."""

    intent: str
    header: Mapping[str, str]
    turns: tuple[Turn, ...] = field(default=())

    @property
    def flow(self) -> str:
        """The flow that the conversation is about."""
        return self.header["flow"]

    @property
    def also(self) -> tuple[str, ...]:
        """More flows that are published when it is played through everything."""
        return tuple(one.strip() for one in self.header.get("also", "").split(",") if one.strip())

    @property
    def number(self) -> str:
        """How the person's phone number begins; a made-up one of North America if not given."""
        return self.header.get("number", "+1212555")

    @property
    def language(self) -> str:
        """The language of the person's app, and the default of the channel."""
        return self.header.get("language", "en")

    @property
    def asks(self) -> tuple[str, ...]:
        """The polls of the library that are open meanwhile; the code of the first is known."""
        return tuple(one.strip() for one in self.header.get("asks", "").split(",") if one.strip())

    @property
    def mode(self) -> str:
        """Whether that poll is named or secret."""
        return self.header.get("mode", "named")

    @property
    def member(self) -> bool:
        """Whether the person has registered before, and may be sent polls."""
        return self.header.get("member") == "yes"

    @property
    def runs(self) -> tuple[str, ...]:
        """Where the transcript is played: on the bare engine, through everything, or both."""
        return _listed(self.header.get("runs"), RUNS)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels it is played on when it goes through everything."""
        return _listed(self.header.get("channels"), CHANNELS)


def parse(text: str) -> Chat:
    """The transcript in a file's text; ChatInvalid names the line of the first fault."""
    lines = text.splitlines()
    intent = lines[0].strip() if lines else ""
    header: dict[str, str] = {}
    start = 1
    for start, line in enumerate(lines[1:], start=1):  # noqa: B007 - where the header ends
        if not line.strip():
            break
        header |= {key: value.strip() for key, value in _HEADER.findall(line)}
    unknown = sorted(header.keys() - set(KEYS))
    if not intent or "flow" not in header or unknown:
        raise ChatInvalid(f"line 1: needs a sentence, a flow, and no {unknown or 'other names'}")
    reader = _Reader()
    for number, line in enumerate(lines[start:], start=start + 1):
        try:
            reader.read(line.rstrip())
        except ValueError as fault:
            raise ChatInvalid(f"line {number}: {fault}") from None
    return Chat(intent, header, tuple(reader.turns))


def written(chat: Chat) -> str:
    """The file of a transcript, laid out for reading."""
    header = "      ".join(f"{key}: {chat.header[key]}" for key in KEYS if key in chat.header)
    blocks = [turn_written(turn) for turn in chat.turns]
    return "\n".join([chat.intent, header, "", *blocks])


def turn_written(turn: Turn) -> str:
    """One turn as the file has it."""
    lines = [*turn.notes, act_written(turn.act)]
    lines += [f"  * {effect}" for effect in turn.effects]
    for shown in turn.shown:
        lines += message_written(shown)
    return "\n".join(lines) + "\n"


def act_written(act: Act) -> str:
    """The line that starts a turn."""
    return {
        "says": "person: " + act.text.replace("\n", f"\n{_TEXT}"),
        "presses": f"person presses [{act.text}]",
        "presses_old": f"person presses the old [{act.text}]",
        "sends": f"person sends {act.text}",
        "happens": f"({act.text})",
    }[act.kind]


def message_written(shown: Shown) -> list[str]:
    """The lines of one message."""
    lines: list[str] = []
    for line in shown.text.split("\n"):
        lines += _wrapped(line)
    if shown.options:
        lines.append(_TEXT + " ".join(f"[{option}]" for option in shown.options))
    lines[0] = f"{shown.speaker + ': ':<8}" + lines[0].lstrip()
    return lines


def _wrapped(line: str) -> list[str]:
    """One line of a message on as many lines of the file as it needs."""
    lines, current = [], _TEXT
    for number, word in enumerate(line.split(" ")):
        if number and len(current) + 1 + len(word) > WIDTH:
            lines.append(current)
            current = _WRAPPED + word
        else:
            current += word if not number else f" {word}"
    return [*lines, current]


def _listed(given: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.split(",")) if given else known


class _Reader:
    """Reads line after line into turns."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._notes: list[str] = []
        self._open = ""

    def read(self, line: str) -> None:
        """Take one line; ValueError says what is wrong with it."""
        if not line:
            self._open = ""
        elif line.startswith("#"):
            self._notes.append(line)
        elif not line.startswith(" "):
            self._begin(line)
        elif line.strip().startswith("* "):
            turn = self._last()
            self.turns[-1] = replace(turn, effects=(*turn.effects, line.strip()[2:]))
        else:
            self._go_on(line)

    def _begin(self, line: str) -> None:
        speaker, colon, rest = line.partition(":")
        if colon and speaker in SPEAKERS:
            turn = self._last()
            shown = Shown(rest.strip(), speaker=speaker)
            self.turns[-1] = replace(turn, shown=(*turn.shown, shown))
            self._open = "message"
            return
        self.turns.append(Turn(_act(line), notes=tuple(self._notes)))
        self._notes.clear()
        self._open = "act"

    def _go_on(self, line: str) -> None:
        turn = self._last()
        if self._open == "act":
            text = f"{turn.act.text}\n{line.strip()}"
            self.turns[-1] = replace(turn, act=replace(turn.act, text=text))
            return
        if self._open != "message":
            raise ValueError("this line belongs to no message")
        shown = turn.shown[-1]
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            shown = replace(shown, options=tuple(_OPTION.findall(stripped)))
        else:
            joint = " " if line.startswith(_WRAPPED) else "\n"
            shown = replace(shown, text=f"{shown.text}{joint}{stripped}")
        self.turns[-1] = replace(turn, shown=(*turn.shown[:-1], shown))

    def _last(self) -> Turn:
        if not self.turns:
            raise ValueError("a conversation begins with what a person does")
        return self.turns[-1]


def _act(line: str) -> Act:
    if line.startswith("person:"):
        return Act("says", line.removeprefix("person:").strip())
    if line.startswith("(") and line.endswith(")"):
        return Act("happens", line[1:-1])
    if pressed := _PRESSES.fullmatch(line):
        return Act("presses_old" if pressed[1] else "presses", pressed[2])
    if sent := _SENDS.fullmatch(line):
        return Act("sends", sent[1])
    raise ValueError("is neither something a person does nor something that happens")
