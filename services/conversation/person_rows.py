"""What is kept of a person when a message has been handled: one method a kind of row."""

from collections.abc import Mapping
from typing import Any

from models.base import new_id
from services import retention
from services.conversation.props import LEADS
from services.conversation.rows import Row, Writer, hex_of
from services.conversation.scene import AnswerRow, Running


class PersonWriter(Writer):
    """Writes who somebody is, what they answered and what they allowed."""

    def _newcomer(self) -> Row:
        scene = self.scene
        heard = scene.heard
        origin = scene.running.origin if scene.running else {}
        return {
            "contact": scene.contact_id,
            "wrapped_key": hex_of(self.wrapped),
            "language": scene.language,
            "office": origin.get("office"),
            "origin": _kept(origin),
            "at": scene.now,
            "expires_at": retention.expires_at(self._contact_rule(), scene.now),
            "address": scene.address_id,
            "scheme": heard.scheme,
            "address_hash": hex_of(heard.address_hash),
            "number_hash": hex_of(heard.number_hash),
            "sealed_address": self._seal(heard.address, "addresses", scene.address_id),
        }

    def _due(self, due: Row) -> Row:
        """What is put off; what a provider calls somebody's recording is sealed inside."""
        due_id = new_id(self.scene.now)
        row: Row = {"id": due_id, "contact": self.scene.contact_id, "payload": {}} | due
        if (file := row.pop("file", None)) is not None:
            row["payload"] |= {"file": self._seal(file, "due", due_id)}
        return row

    def _contact_rule(self) -> str:
        return "contacts" if self.scene.is_consented or self.scene.stopped else "before_consent"

    def _sessions(self) -> list[Row]:
        scene = self.scene
        touched = scene.running and (scene.running.touched or self._first_today())
        running = [scene.running] if scene.running and touched else []
        return [self._session(each) for each in [*scene.ended_sessions, *running]]

    def _session(self, running: Running) -> Row:
        scene = self.scene
        complete = running.status == "complete"
        ended = running.status != "waiting" or running.completed_at is not None
        return {
            "id": running.id,
            "contact": scene.contact_id,
            "flow_version": running.published.version_id,
            "flow": running.published.flow.id,
            "kind": running.published.flow.kind,
            "status": "complete" if running.completed_at else running.status,
            "language": scene.language,
            "channel_kind": scene.line.kind,
            "origin": _kept(running.origin),
            "at": scene.now,
            "completed_at": running.completed_at or (scene.now if complete else None),
            "expires_at": None if ended else self._conversation_expires_at(),
        }

    def _answers(self) -> list[Row]:
        newest = {(a.running.id, a.question): a for a in self.scene.answers}
        return [self._answer(answer) for answer in newest.values()]

    def _answer(self, answer: AnswerRow) -> Row:
        scene, session = self.scene, answer.running.id
        sealed = None
        if answer.text is not None:
            sealed = self._seal(answer.text, "answers", f"{session}:{answer.question}")
        return {
            "session": session,
            "question": answer.question,
            "contact": scene.contact_id,
            "flow_version": answer.running.published.version_id,
            "flow": answer.running.published.flow.id,
            "value": answer.value,
            "sealed": sealed,
            "skipped": answer.skipped,
            "language": scene.language,
            "channel_kind": scene.line.kind,
            "at": scene.now,
        }

    def _consents(self) -> list[Row]:
        scene = self.scene
        return [
            {
                "id": new_id(scene.now),
                "contact": scene.contact_id,
                "purpose": consent.purpose,
                "action": consent.action,
                "flow": consent.flow,
                "version": consent.version,
                "question": consent.question,
                "text_hash": f"\\x{scene.shown}" if scene.shown else None,
                "language": scene.language,
                "channel_kind": scene.line.kind,
                "provider_message": scene.heard.provider_id,
                "at": scene.now,
            }
            for consent in scene.consents
        ]

    def _profile(self) -> Row | None:
        """The profile's patch; also a daily touch, so that "last seen" and expiry stay true."""
        scene = self.scene
        touched = self._first_today()
        if not (scene.profile or scene.rest or scene.language_changed or touched):
            return None
        expires = retention.expires_at("contacts", scene.now) if scene.is_consented else None
        patch = dict(scene.profile)
        if expires:
            patch["expires_at"] = expires
        patch["channel"] = scene.heard.scheme
        return {
            "contact": scene.contact_id,
            "patch": patch,
            "rest": scene.rest or None,
            "language": scene.language if scene.language_changed else None,
            "contact_expires_at": expires if touched or scene.consents else None,
            "touched": touched or bool(scene.consents) or scene.language_changed,
            "at": scene.now,
        }

    def _first_today(self) -> bool:
        last = self.scene.standing.last_in_at
        return last is None or last.date() < self.scene.now.date()


def _kept(origin: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where somebody came from, without a code that still opens something."""
    return {name: value for name, value in origin.items() if name != LEADS}
