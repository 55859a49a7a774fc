"""The demo's organisation: clearly invented, its channels, flows, people and keys made once."""

import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from flows.flow import Flow
from flows.templates import Template, templates
from models.ballot_keys import BallotKeys
from models.base import new_id
from models.channel import Channel, ChannelKind, ContentObject, StopReply
from models.contact import Contact
from models.db import transaction
from models.flow_version import EntryCode
from models.office import Office
from models.organisation import Organisation
from models.sealed import Keyring, keyed_hash, seal
from models.staff import Role, Staff
from models.template import TemplateStatus
from models.walls import system_scope
from services import api_keys, channels, flows, organisations
from services.channels import NewChannel, OpenChannel
from services.demo import seeded_polls
from services.demo.seeded_answers import Answering
from services.demo.seeded_people import insert_people
from services.demo.seeded_polls import Tools
from services.messages.templates import keep
from services.organisations import OrganisationKeyring

NAME = "Consulate of Examplia, Cape Town (made up)"
SHORT_NAME = "Consulate of Examplia"
LANGUAGES = ("en", "fr", "ar", "es", "pt")
PEOPLE = 400
IN_USE = timedelta(days=420)
"""How long ago the demo's organisation published its flows."""
REGISTRATIONS = ("registration", "registration-express")
STAFF = "officer@consulate.example"
OFFICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "Consulate of Examplia in Cape Town": (("ZA", "NA", "BW"), "Africa/Johannesburg"),
    "Consulate of Examplia in Paris": (("FR", "BE"), "Europe/Paris"),
}
# Numbers that Ofcom keeps free for stories: 07700 900000 to 900999.
SMS_NUMBER, WHATSAPP_NUMBER = "+447700900900", "+447700900901"
BOT = "examplia_desk_bot"
SENDERS = frozenset({SMS_NUMBER, WHATSAPP_NUMBER, BOT})
"""Whom no provider knows: the demo's channels are made up like its people."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The demo's organisation: `people` and `polls` made now, the `code` of its registration."""

    organisation_id: UUID
    people: int
    polls: int
    code: str


def find(engine: Engine) -> UUID | None:
    """Return the id of the demo's organisation, or None before it is seeded."""
    with system_scope(engine) as db:
        return db.scalar(select(Organisation.id).where(Organisation.name == NAME).limit(1))


def seed(
    engine: Engine,
    keyring: Keyring,
    library: Iterable[Flow],
    *,
    ballot_keys: BallotKeys,
    now: datetime,
) -> Seeded:
    """Make whatever of the demo's organisation is missing; what is there stays as it is."""
    known = find(engine)
    organisation_id, began = known or new_id(now), now if known else now - IN_USE
    with transaction(engine, organisation_id) as db:
        if db.get(Organisation, organisation_id) is None:
            organisations.create(
                db, NAME, short_name=SHORT_NAME, languages=LANGUAGES, keyring=keyring, now=now
            )
            _offices(db, organisation_id)
            _officer(db, keyring, organisation_id, now)
        published = {flow.id: flows.publish(db, flow, now=began) for flow in library}
        made = _channels(db, keyring, now)
        people = 0
        express = published.get("registration-express")
        if express and not db.scalar(select(func.count()).select_from(Contact)):
            people = insert_people(
                db, keyring, made, express.version_id, express.version, count=PEOPLE, now=now
            )
        keys = organisations.open_keys(db, keyring)
        wanted = published.keys() >= seeded_polls.FLOWS and not seeded_polls.is_there(db)
        polls = _polls(db, keyring, ballot_keys, now) if wanted else 0
    seeded_polls.count_votes(engine, organisation_id, keys, ballot_keys)
    return Seeded(organisation_id, people, polls, code(engine, organisation_id))


def _polls(db: Session, keyring: Keyring, ballot_keys: BallotKeys, now: datetime) -> int:
    dice = random.Random(seeded_polls.SEED)  # noqa: S311 - made-up answers hide nothing
    answering = Answering(keyring, dice)
    keys = organisations.open_keys(db, keyring)
    return seeded_polls.make_all(db, Tools(keys, answering, ballot_keys, now))


def pages(engine: Engine, organisation_id: UUID) -> Mapping[str, str]:
    """Return codes of polls worth looking at; see `seeded_polls.pages`."""
    with transaction(engine, organisation_id) as db:
        return seeded_polls.pages(db)


def code(engine: Engine, organisation_id: UUID) -> str:
    """Return the code of a poster: what JOIN and /start need to begin the registration."""
    with transaction(engine, organisation_id) as db:
        codes = db.scalars(
            select(EntryCode.code)
            .where(EntryCode.flow.in_(REGISTRATIONS), EntryCode.closed_at.is_(None))
            .order_by(EntryCode.flow, EntryCode.created_at)
        )
        return codes.first() or ""


def open_channels(
    engine: Engine, keys: OrganisationKeyring, organisation_id: UUID
) -> dict[str, OpenChannel]:
    """Return the demo's channels by kind, credentials open."""
    with transaction(engine, organisation_id) as db:
        rows = db.scalars(select(Channel).order_by(Channel.created_at.desc())).all()
        return {
            row.kind.value: channels.open_channel(keys.open(organisation_id), row) for row in rows
        }


def forget_contents(engine: Engine, organisation_id: UUID) -> None:
    """Forget the content objects that a provider made: one that starts anew knows none of them."""
    with transaction(engine, organisation_id) as db:
        db.execute(delete(ContentObject))


def approve_templates(
    engine: Engine, organisation_id: UUID, *, now: datetime
) -> Mapping[str, Template]:
    """Have every WhatsApp template approved, as after the first days; return each by its id.

    So the demo's people can be written to outside the 24 hours. Their provider must know the ids.
    """
    approved = {_content_id(one): one for one in templates().values()}
    with transaction(engine, organisation_id) as db:
        channel_id = db.scalars(
            select(Channel.id).where(Channel.kind == ChannelKind.WHATSAPP)
        ).one()
        for sid, template in approved.items():
            keep(db, channel_id, template, sid, TemplateStatus.APPROVED, now=now)
    return approved


def _content_id(template: Template) -> str:
    return f"HX{uuid5(NAMESPACE_URL, template.provider_name).hex}"


def key(engine: Engine, organisation_id: UUID, file: Path, *, now: datetime) -> str:
    """Return the demo's API key with all scopes, kept in a file only its owner may read."""
    if file.is_file():
        kept = file.read_text(encoding="ascii").strip()
        if api_keys.find_holder(engine, kept, now=now) is not None:
            return kept
        file.unlink()
    with transaction(engine, organisation_id) as db:
        made = api_keys.create(db, "demo", scopes=["*"], now=now)
    file.touch(mode=0o600)
    file.write_text(f"{made.secret}\n", encoding="ascii")
    return made.secret


def _offices(db: Session, organisation_id: UUID) -> None:
    for name, (countries, zone) in OFFICES.items():
        db.add(
            Office(
                organisation_id=organisation_id,
                id=new_id(),
                name=name,
                countries=list(countries),
                time_zone=zone,
            )
        )
    db.flush()


def _officer(db: Session, keyring: Keyring, organisation_id: UUID, now: datetime) -> None:
    keys, staff_id = organisations.open_keys(db, keyring), new_id(now)
    db.add(
        Staff(
            organisation_id=organisation_id,
            id=staff_id,
            email_hash=keyed_hash(keys.index, "email", STAFF),
            email=seal(
                keys.data,
                STAFF.encode(),
                table="staff",
                column="email",
                organisation_id=organisation_id,
                row_id=staff_id,
            ),
            role=Role.ADMIN,
            created_at=now,
        )
    )
    db.flush()


def _channels(db: Session, keyring: Keyring, now: datetime) -> dict[str, UUID]:
    """Return the channel of each kind; the missing ones are added with made-up credentials."""
    keys = organisations.open_keys(db, keyring)
    made = {row.kind.value: row.id for row in db.scalars(select(Channel))}
    account = {"account_sid": f"AC{secrets.token_hex(16)}", "auth_token": secrets.token_hex(16)}
    telegram = {"token": f"1001:{secrets.token_hex(16)}", "secret": secrets.token_urlsafe(32)}
    wanted = (
        NewChannel(ChannelKind.TELEGRAM, "Telegram", telegram, sender=BOT),
        NewChannel(ChannelKind.WHATSAPP, "WhatsApp", account, sender=WHATSAPP_NUMBER, rate=80),
        NewChannel(
            ChannelKind.SMS,
            "SMS",
            account,
            sender=SMS_NUMBER,
            stop_reply=StopReply.PROVIDER,
            rate=10,
        ),
    )
    for new in wanted:
        if new.kind.value not in made:
            made[new.kind.value] = channels.add(db, keys, new, now=now).id
    return made
