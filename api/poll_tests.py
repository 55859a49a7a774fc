"""Trying a poll: sent to one person as a test, as often as wanted, and counted nowhere."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.auth import require
from api.fields import LANGUAGE, Strict, described, one_of, word
from api.polls import poll_of
from api.resource import Resource
from api.scopes import PEOPLE_READ
from api.work import Work
from models.address import Address
from models.contact import Contact
from models.message import MessageStatus
from services.asks import poll_tests
from services.errors import Invalid, NotFound
from services.people import contacts

resource = Resource("poll tests", "A poll sent to one person to be looked at.")


class PollTestOrder(Strict):
    """Who gets it: a contact, or the address they registered from; one of the two."""

    contact_id = described(fields.UUID(load_default=None, allow_none=True), "A member.")
    address = described(
        fields.String(load_default=None, allow_none=True, validate=validate.Length(min=5, max=80)),
        "Theirs, such as telegram:1001, sms:+447700900123 or whatsapp:+447700900123.",
    )
    language = word(
        LANGUAGE, "One of the poll's; null: the person's.", load_default=None, allow_none=True
    )


class PollTestRow(Strict):
    """A test on its way."""

    message_id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    channel = fields.String(required=True)
    language = fields.String(required=True)
    status = one_of([one.value for one in MessageStatus], "How far it is.", required=True)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/test", body=PollTestOrder, gives=PollTestRow, status=202
)
def test_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Send a draft or an open poll to one person as a test; needs people:read too."""
    require(work.holder, PEOPLE_READ)
    poll_of(work, poll_id)
    message = poll_tests.send_test(
        work.db,
        poll_id,
        _person(work, body),
        language=body["language"],
        actor=work.actor,
        now=work.now,
    )
    address = work.db.get_one(Address, (message.organisation_id, message.address_id))
    return {
        "message_id": message.id,
        "contact_id": message.contact_id,
        "channel": address.scheme.value,
        "language": message.language,
        "status": message.status.value,
    }


def _person(work: Work, body: dict[str, Any]) -> Contact:
    if (body["contact_id"] is None) == (body["address"] is None):
        raise Invalid("Say who gets it: a contact_id or an address.", place="contact_id")
    if body["contact_id"] is not None:
        return contacts.get(work.db, body["contact_id"])
    found = contacts.find_by_address(work.db, work.keys(), body["address"])
    if found is None:
        raise NotFound("Nobody has registered from this address yet: write to us from it first.")
    return found
