"""From a finished scene to the rows that ``models/message_path.py`` writes, sealed as needed."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from flows.questions.consent import Consent
from flows.redaction import redact
from models.base import new_id
from models.message_path import Batch
from models.sealed import Keyring, keyed_hash
from models.walls import door_hash
from services import retention
from services.conversation.keyboards import keyboard_mark
from services.conversation.person_rows import PersonWriter
from services.conversation.rows import Row, Rows, Shown, hex_of
from services.conversation.scene import REPLIES, RIGHTS, LinkRow, Scene

REPLIES_IN_WINDOW = 30
WINDOW = timedelta(minutes=10)
SERVICE_WINDOW = timedelta(hours=24)


def rows_of(scene: Scene, keyring: Keyring, shown: Shown) -> Rows:
    """The rows that one handled message writes.

    ``shown`` renders the scene's answer as its channel will, so that a consent can later prove the
    exact words that were on the screen.
    """
    return _Writer(scene, keyring, shown).rows()


def gather(batch: Iterable[Rows], now: datetime) -> Batch:
    """Join the rows of several messages into what one transaction writes."""
    parts = list(batch)
    seldom: Row = {
        "stops": [p.stop for p in parts if p.stop],
        "returns": [p.back for p in parts if p.back],
        "addresses": [p.address for p in parts if p.address],
        "windows": [p.window for p in parts if p.window],
        "dues": [due for p in parts for due in p.dues],
        "cases": [p.case for p in parts if p.case],
        "links": [p.link for p in parts if p.link],
        "echoes": [p.echo for p in parts if p.echo],
        "aliases": [p.alias for p in parts if p.alias],
        "unconsented": sum(p.unconsented for p in parts),
    }
    rare = {name: rows for name, rows in seldom.items() if rows}
    return Batch(
        moves=[p.move for p in parts],
        newcomers=[p.newcomer for p in parts if p.newcomer],
        said=[row for p in parts for row in (p.heard, *p.outgoing)],
        answered=[row for p in parts for row in p.answered],
        sessions=[row for p in parts for row in p.sessions],
        consented=[row for p in parts for row in p.consented],
        profiled=[p.profiled for p in parts if p.profiled],
        rare=rare | {"at": now, "today": now.date()} if rare else None,
    )


class _Writer(PersonWriter):
    """Writes down one scene; each method is one kind of row."""

    def rows(self) -> Rows:
        scene = self.scene
        speaks = bool(scene.parts) and not scene.silent
        allowed = speaks and self._within_guards()
        rows = Rows(
            move=self._move(replies=int(allowed)),
            # What was heard gets its id before what is answered: messages are read in that order.
            heard=self._heard(),
            outgoing=[self._reply()] if allowed else [],
        )
        rows.guarded = speaks and not allowed
        rows.unconsented = bool(rows.outgoing) and not scene.is_consented
        rows.newcomer = self._newcomer() if scene.is_new else None
        rows.sessions = self._sessions()
        rows.answered = self._answers()
        rows.consented = self._consents()
        rows.profiled = self._profile()
        self._rarely(rows)
        return rows

    def _move(self, *, replies: int) -> Row:
        scene = self.scene
        started, used = self._window()
        return {
            "contact": scene.contact_id,
            "receipt": hex_of(scene.heard.receipt),
            "receipt_expires_at": retention.expires_at("receipts", scene.now),
            "seq": scene.standing.seq,
            "state": self._state(),
            "session": scene.running.id if scene.running else None,
            "tags": scene.tags,
            "window_started_at": started,
            "window_replies": used + replies,
            "at": scene.now,
            "expires_at": self._conversation_expires_at(),
            "case": scene.case_id,
        }

    def _heard(self) -> Row:
        """What a message was, and the case it belongs to."""
        scene, message = self.scene, new_id(self.scene.now)
        body = "" if scene.is_unseen else redact(scene.heard.body)
        case = {"case": scene.case_id} if scene.case_reason else {}
        return {
            "id": message,
            "contact": scene.contact_id,
            "address": scene.address_id,
            "direction": "in",
            "status": "received",
            "lane": REPLIES,
            "kind": "notice",
            "content": {"kind": scene.heard.kind} | case,
            "language": scene.language,
            "sealed": self._seal(body, "messages", message) if body else None,
            "seq": scene.standing.seq or 0,
            "session": scene.running.id if scene.running else None,
            "provider_id": None if scene.is_unseen else scene.heard.provider_id,
            "due_at": scene.now,
            "at": scene.now,
            "expires_at": self._message_expires_at(),
        }

    def _state(self) -> Row:
        scene, state = self.scene, Row()
        if scene.running and scene.running.status == "waiting":
            state |= scene.running.to_json()
        for name, other in (("paused", scene.paused), ("done", scene.done)):
            if other:
                state[name] = {"id": other.id, **other.to_json()}
        if scene.aside:
            state["aside"] = scene.aside.to_json()
        marks = {
            "noted": scene.case_noted,
            "code": scene.code_wanted,
            "matches": scene.matches,
            "unsure": scene.unsure,
            "voted": scene.voted,
            "waits": scene.waits_until,
            "said": None if scene.secret else scene.said,
        }
        state |= {name: kept for name, kept in marks.items() if kept}
        if self._asks_consent():
            state["shown"] = hashlib.sha256(self.shown(scene).encode()).hexdigest()
        elif scene.shown and scene.running and scene.running.status == "waiting":
            state["shown"] = scene.shown
        return state

    def _asks_consent(self) -> bool:
        flow = self.scene.spoken_flow
        return flow is not None and isinstance(flow.question(self.scene.question), Consent)

    def _window(self) -> tuple[datetime, int]:
        standing, now = self.scene.standing, self.scene.now
        if standing.window_started_at is None or now - standing.window_started_at > WINDOW:
            return now, 0
        return standing.window_started_at, standing.window_replies or 0

    def _within_guards(self) -> bool:
        """At most 30 replies in 10 minutes, and a daily bound for people without consent."""
        if self.scene.lane == RIGHTS:
            return True
        if not self.scene.is_consented and self.scene.standing.unconsented_left <= 0:
            return False
        return self._window()[1] < REPLIES_IN_WINDOW

    def _reply(self) -> Row:
        scene = self.scene
        message = new_id(scene.now)
        secrets = json.dumps(scene.secrets) if scene.secrets else None
        return {
            "id": message,
            "sealed": self._seal(secrets, "messages", message) if secrets else None,
            "contact": scene.contact_id,
            "address": scene.address_id,
            "direction": "out",
            "status": "queued",
            "lane": scene.lane,
            "kind": self._reply_kind(),
            "content": self._content(),
            "flow_version": self._spoken_version(),
            "question": scene.question,
            "language": scene.language,
            "seq": (scene.standing.seq or 0) + 1,
            "session": scene.running.id if scene.running else None,
            "edits": scene.heard.pressed_message,
            "due_at": scene.now,
            "at": scene.now,
            "expires_at": self._message_expires_at(),
        }

    def _offers_answers(self) -> bool:
        """Whether the reply asks which answer to correct; it is made again from that flow."""
        flow = self.scene.spoken_flow
        return flow is not None and flow.kind == "aside" and flow.id == "change"

    def _spoken_version(self) -> UUID | None:
        among = self.scene.among
        return among[0] if among and self._offers_answers() else self.scene.spoken_version

    def _reply_kind(self) -> str:
        """A question is sent again under stricter rules than a right, so it counts as one first."""
        scene = self.scene
        if scene.lane == RIGHTS and (scene.question is None or scene.has_stopped):
            return "rights"
        return "question" if self._waits_for_an_answer() else "notice"

    def _content(self) -> Row:
        scene = self.scene
        content: Row = {"parts": scene.parts, "tag": scene.spoken_tag}
        content |= scene.spoken_aside
        if self._offers_answers():
            content["among"] = scene.among[1] if scene.among else ()
        if scene.standing.office_id:
            content["office"] = scene.standing.office_id
        if scene.edit:
            content["edit"] = True
        return content | keyboard_mark(scene)

    # --- what happens seldom ---

    def _rarely(self, rows: Rows) -> None:
        scene = self.scene
        if scene.stopped:
            rows.stop = {
                "contact": scene.contact_id,
                "number_hash": hex_of(scene.heard.number_hash),
            }
        if scene.returned:
            rows.back = {"contact": scene.contact_id}
        self._of_address(rows)
        rows.case = self._case() if scene.case_reason else None
        rows.link = self._link(scene.link) if scene.link else None
        if scene.is_echo:
            rows.echo = {"contact": scene.contact_id, "seq": (scene.standing.seq or 0) + 1}
        rows.dues = [self._due(one) for one in scene.dues]

    def _case(self) -> Row:
        scene, running = self.scene, self.scene.running
        return {
            "id": scene.case_id,
            "contact": scene.contact_id,
            "session": running.id if running else None,
            "question": running.state.asked if running else None,
            "reason": scene.case_reason,
            "at": scene.now,
            "expires_at": retention.expires_at("cases", scene.now),
        }

    def _of_address(self, rows: Rows) -> None:
        """The address opens again by being used; WhatsApp's window and silences count from now."""
        scene = self.scene
        if scene.address_status:
            rows.address = {"address": scene.address_id, "status": scene.address_status}
        elif scene.standing.address_status not in (None, "active"):
            rows.address = {"address": scene.address_id, "status": "active"}
        if scene.line.kind == "whatsapp":
            until = scene.now + SERVICE_WINDOW
            rows.window = {"address": scene.address_id, "window_until": until, "at": scene.now}
        elif not scene.is_new and not _same_day(scene.standing.heard_at, scene.now):
            rows.window = {"address": scene.address_id, "window_until": None, "at": scene.now}
        if scene.heard.alias and scene.standing.alias_of is None and not scene.unsure:
            rows.alias = self._alias(scene.heard.alias)

    def _alias(self, alias: str) -> Row:
        scene = self.scene
        address_id = new_id(scene.now)
        return {
            "address": address_id,
            "contact": scene.contact_id,
            "address_hash": hex_of(scene.heard.alias_hash),
            "sealed": self._seal(alias, "addresses", address_id),
            "at": scene.now,
            "expires_at": retention.expires_at(self._contact_rule(), scene.now),
        }

    def _link(self, link: LinkRow) -> Row:
        scene = self.scene
        link_id = new_id(scene.now)
        return {
            "id": link_id,
            "contact": scene.contact_id,
            "token_hash": hex_of(door_hash(link.token)),
            "code_hash": hex_of(keyed_hash(self.key, "code", f"{link_id}|{link.code}")),
            "language": scene.language,
            "at": scene.now,
            "expires_at": retention.expires_at("member_links", scene.now),
        }


def _same_day(one: datetime | None, other: datetime) -> bool:
    return one is not None and one.date() == other.date()
