"""A person who talks with the conversation alone: no database, every state stored and read again.

talk = Talk()                        a stranger on Telegram, in English
talk.say("hello").text               what is answered
talk.registered()                    the same person, registered and in no flow
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson

from flows.inputs import Input, Pressed, Text
from flows.loader import load
from flows.state import SEALED, SKIPPED
from flows.wording import Prompt
from models.message_path import Standing
from models.sealed import Keyring
from services.catalogue import Catalogue, Published
from services.conversation.changes import rows_of
from services.conversation.conversations import handle
from services.conversation.opening import open_scene
from services.conversation.rows import Rows
from services.conversation.scene import Given, Heard, Line, Memory, Past, Scene
from services.messages.rendering import body_as_sent, body_for, render, with_link
from settings import MasterKey
from tests.conftest import BEGINNING

ROOT = Path(__file__).resolve().parent.parent.parent
ORGANISATION = UUID("019a0000-0000-7000-8000-000000000001")
KEYRING = Keyring([MasterKey("test", b"0123456789abcdef" * 2)])
STRANGER = Standing(
    repeated=False,
    contact_id=None,
    address_id=None,
    address_status=None,
    wrapped_key=None,
    language=None,
    contact_status=None,
    stopped_at=None,
    office_id=None,
    origin=None,
    seq=None,
    state=None,
    session_id=None,
    tags=None,
    window_started_at=None,
    window_replies=None,
    last_in_at=None,
    consents=None,
    time_zone=None,
    catalogue_version=1,
    unconsented_left=1000,
)
SCHEMES = {"simulator": "sim"}
NAMES = {"en": "English", "fr": "Français", "es": "Español", "pt": "Português", "ar": "العربية"}
LIBRARY = ("registration-express",)


def catalogue(**changed: Any) -> Catalogue:
    """The shipped express registration, and whatever else is given."""
    return replace(_shipped(), **changed)


@cache
def _shipped() -> Catalogue:
    flows = {path: load(ROOT / "flows" / "library" / f"{path}.yaml") for path in LIBRARY}
    published = {name: Published(uuid5(ORGANISATION, name), flow) for name, flow in flows.items()}
    return Catalogue(
        organisation_id=ORGANISATION,
        version_number=1,
        name="Made-up Consulate",
        short_name="Consulate",
        languages=("en", "fr", "es", "pt", "ar"),
        default_flow="registration-express",
        newest=published,
        versions={one.version_id: one for one in published.values()},
        entries={},
        words={},
        offices={},
    )


@dataclass
class Talk:
    """One person at one channel; each `say` stores everything and reads it again."""

    kind: str = "telegram"
    language: str = "en"
    stop_reply: str = "ours"
    now: datetime = BEGINNING
    standing: Standing = STRANGER
    catalogue: Catalogue = field(default_factory=catalogue)
    scene: Scene | None = None
    rows: Rows | None = None
    answers: dict[tuple[UUID, str], dict[str, Any]] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    completed: dict[UUID, datetime] = field(default_factory=dict)
    asked: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    serial: int = 0

    def say(self, what: str | Input, *, after: timedelta = timedelta(seconds=9)) -> "Talk":
        """Let a text or any other input arrive."""
        self.now += after
        self.serial += 1
        given: Input = Text(what) if isinstance(what, str) else what
        body = what if isinstance(what, str) else "(something)"
        self._arrive("message", given, body)
        return self

    def arrive(self, kind: str) -> "Talk":
        """Let something arrive that is no message, such as `opted_out`."""
        self.now += timedelta(seconds=9)
        self.serial += 1
        self._arrive(kind, None, "")
        return self

    def start(self, code: str) -> "Talk":
        """Open the bot by a link with a code."""
        self.serial += 1
        self._arrive("message", Text(f"/start {code}"), f"/start {code}", entry=code)
        return self

    def press(self, value: str) -> "Talk":
        """Press a button of the last answer."""
        prompt = self.prompt
        for one in (*prompt.choices, *prompt.navigation):
            if one.payload.endswith(f".{value}"):
                return self.say(Pressed(one.payload))
        raise AssertionError(f"no button {value} in {prompt}")

    def registered(self) -> "Talk":
        """Go through the express registration to its end."""
        self.say("hello").say(NAMES[self.language])
        for answer in ("1", "South Africa", "1", "Cape Town"):
            self.say(answer)
        assert self.scene is not None
        assert self.scene.running is not None
        assert self.scene.running.status == "complete", self.text
        return self

    def again(self) -> "Talk":
        """The same person at the same point; what one of the two says does not reach the other."""
        return replace(
            self,
            answers=dict(self.answers),
            profile=dict(self.profile),
            completed=dict(self.completed),
            asked=dict(self.asked),
        )

    def _arrive(self, kind: str, given: Input | None, body: str, entry: str | None = None) -> None:
        heard = Heard(
            kind=kind,
            input=given,
            body=body,
            entry=entry,
            language=None,
            scheme=SCHEMES.get(self.kind, self.kind),
            address=f"{self.kind}:1001",
            address_hash=b"a",
            number_hash=b"n" if self.kind in {"sms", "whatsapp"} else None,
            receipt=f"{self.serial}".encode(),
            provider_id=str(self.serial),
            pressed_message=None,
        )
        line = Line(
            uuid5(ORGANISATION, self.kind), ORGANISATION, self.kind, self.stop_reply, self.language
        )
        self.scene = open_scene(heard, line, self.standing, self.catalogue, self.now)
        handle(self.scene)
        if self.scene.needs_memory:
            self.scene = open_scene(heard, line, self.standing, self.catalogue, self.now)
            self.scene.memory = self.remembered()
            handle(self.scene)
            assert not self.scene.needs_memory
        self.rows = rows_of(self.scene, KEYRING, body_as_sent)
        self._keep()

    def remembered(self) -> Memory:
        """What the database would know: services.conversation.changing.read_memory without it."""
        given = [
            Given(self.catalogue.versions[row["flow_version"]], row["question"], _value(row))
            for row in self.answers.values()
        ]
        registered = [
            row for row in self.answers.values() if row["flow"].startswith("registration")
        ]
        sessions = sorted({row["session"] for row in registered})
        if not sessions:
            return Memory(None, given, self._asked())
        last = [row for row in registered if row["session"] == sessions[-1]]
        past = Past(
            session_id=sessions[-1],
            published=self.catalogue.versions[last[0]["flow_version"]],
            answers={row["question"]: _value(row) for row in last},
            origin={},
            completed_at=self.completed.get(sessions[-1]),
        )
        return Memory(past, given, self._asked())

    def _asked(self) -> dict[UUID, Past]:
        """The newest passage of each ask."""
        found = {}
        for session in sorted(self.asked):
            row = self.asked[session]
            answers = [a for a in self.answers.values() if a["session"] == session]
            found[UUID(row["origin"]["ask"])] = Past(
                session_id=session,
                published=self.catalogue.versions[row["flow_version"]],
                answers={a["question"]: _value(a) for a in answers},
                origin=row["origin"],
                completed_at=self.completed.get(session),
            )
        return found

    def _keep(self) -> None:
        scene, rows = self.scene, self.rows
        assert scene is not None
        assert rows is not None
        before, move = self.standing, orjson.loads(orjson.dumps(rows.move))
        patch = (rows.profiled or {}).get("patch", {})
        self.profile |= patch
        for row in rows.answered:
            self.answers[row["session"], row["question"]] = row
        for row in rows.sessions:
            self.completed[row["id"]] = row["completed_at"]
            if "ask" in row["origin"]:
                self.asked[row["id"]] = row
        status = before.contact_status or "active"
        if rows.stop:
            status = "stopped"
        if rows.back:
            status = "active"
        new = rows.newcomer
        wrapped = bytes.fromhex(new["wrapped_key"][2:]) if new else None
        self.standing = replace(
            before,
            contact_id=scene.contact_id,
            address_id=scene.address_id,
            address_status="active",
            wrapped_key=before.wrapped_key or wrapped,
            language=scene.language,
            contact_status=status,
            seq=(before.seq or 0) + 1,
            state=move["state"],
            session_id=rows.move["session"],
            tags=move["tags"],
            window_started_at=rows.move["window_started_at"],
            window_replies=move["window_replies"],
            last_in_at=self.now,
            consents=list(patch.get("consents", before.consents or [])),
            case_id=rows.move["case"],
            registered_at=self.now if "registered_at" in self.profile else None,
        )

    @property
    def reply(self) -> dict[str, Any] | None:
        """The one message that answers, as its row."""
        assert self.rows is not None
        return self.rows.outgoing[0] if self.rows.outgoing else None

    @property
    def phrases(self) -> list[str]:
        """The phrases said and the questions asked, in order."""
        reply = self.reply
        parts = reply["content"]["parts"] if reply else []
        return [part.get("say") or f"?{part['ask']}" for part in parts]

    @property
    def prompt(self) -> Prompt:
        reply = self.reply
        assert reply is not None, "nothing was answered"
        content = orjson.loads(orjson.dumps(reply["content"]))
        published = self.catalogue.versions.get(reply["flow_version"])
        assert self.scene is not None
        return render(
            content,
            flow=published.flow if published else None,
            language=self.scene.language,
            names=self.catalogue.names(None),
            told=with_link(self.scene.secrets, "https://line.example"),
        )

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return body_for(self.kind, self.prompt)


def _value(row: dict[str, Any]) -> Any:
    if row["skipped"]:
        return SKIPPED
    return SEALED if row["sealed"] else row["value"]
