"""A leader passes a poll on: their code in words ready to forward, and how many came by it.

Each wish of a message (``scene.Passing``) is granted in one transaction of its own, in which the
message path writes what else the message changes: a crash or a repeat leaves all of it or nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.filling import filled
from flows.flow import Flow
from flows.questions.language import NAMES
from flows.wording import say
from insights.reach import band
from models.address import Address
from models.channel import ChannelKind
from models.db import transaction
from models.message_path import apply_many
from models.relay import Leader, Relay
from models.walls import organisation_of
from services.catalogue import Asked
from services.conversation.changes import gather, rows_of
from services.conversation.changing import LABEL_LENGTH, label_of
from services.conversation.scene import Passing, Scene
from services.conversation.sessions import ask_again
from services.messages.rendering import body_as_sent
from services.people import reaching
from services.people.linking import Tools
from services.relays import leaders, relays
from services.relays.group_polls import postable
from services.relays.offering import GROUP, HELPER, IN_LANGUAGE, REACH, offer
from services.relays.reach import own_reach, reach
from services.relays.ways_in import ways_in

MOST_OFFERED = 5
LONGEST_TOPIC = 120


@dataclass(frozen=True, slots=True)
class _At:
    """One wish of a leader in its transaction; `told` is sent after the answer, to be forwarded."""

    db: Session
    scene: Scene
    leader: Leader
    wanted: Passing
    now: datetime
    told: list[Mapping[str, str]]


def grant(tools: Tools, scene: Scene, *, now: datetime) -> bool:
    """Do what a leader's message wishes and answer it; whether something is to be sent.

    Raises AlreadyTaken and ConversationMoved as models.message_path does; nothing is written then.
    """
    assert scene.passing is not None
    wanted, told = scene.passing, list[Mapping[str, str]]()
    with transaction(tools.engine, scene.line.organisation_id) as db:
        leader = _leader(db, tools, scene, wanted, now)
        if leader is None:
            scene.say("relay_code_wrong" if wanted.kind == "accept" else "relay_not_leader")
            ask_again(scene)
        else:
            ACTS[wanted.kind](_At(db, scene, leader, wanted, now, told))
        rows = rows_of(scene, tools.keyring, body_as_sent)
        line = scene.line
        apply_many(db.connection(), line.organisation_id, line.id, gather([rows], now))
        address = db.get_one(Address, (line.organisation_id, scene.address_id)) if told else None
        for params in told if address else ():
            assert address is not None
            words, spoken = dict(params), params["language"]
            reaching.tell(
                db, tools.keyring, address, "relay_forward", words, language=spoken, now=now
            )
    return bool(rows.outgoing)


def _leader(
    db: Session, tools: Tools, scene: Scene, wanted: Passing, now: datetime
) -> Leader | None:
    """The leader somebody is, or becomes by an invitation: by its code, or from its number."""
    known = leaders.find_active(db, scene.contact_id, None, now=now)
    if known is not None:
        return known
    number = None if scene.unsure else scene.heard.number_hash
    invited = leaders.find_active(db, scene.contact_id, number, now=now)
    if wanted.kind == "accept":
        return invited or leaders.accept(db, tools.keys, wanted.code, scene.contact_id, now=now)
    if invited is not None:
        scene.say("relay_welcome")
    return invited


def _list(at: _At) -> None:
    asks = _open(at.scene)
    if not asks:
        at.scene.say("relay_none")
        ask_again(at.scene)
        return
    language = at.scene.language
    offered = [f"{ask.code}|{_topic(at.scene, ask, language, LABEL_LENGTH)}" for ask in asks]
    offer(at.scene, [*offered, f"{REACH}|{say('relay_my_reach', language)}"])


def _accept(at: _At) -> None:
    at.scene.say("relay_welcome")
    _list(at)


def _text(at: _At) -> None:
    _hand_out(at, "relay_ready", relays.of_leader)


def _helper(at: _At) -> None:
    _hand_out(at, "relay_helper", relays.for_helper)


def _hand_out(at: _At, phrase: str, make: Callable[..., Relay]) -> None:
    """Say what comes next, offer more, and let the words to forward follow by themselves."""
    scene = at.scene
    ask = next((one for one in _open(scene) if one.code == at.wanted.code), None)
    if ask is None:
        scene.say("relay_over")
        ask_again(scene)
        return
    relay = make(at.db, at.leader, ask.id, now=at.now)
    language = at.wanted.language or scene.language
    room = LABEL_LENGTH if scene.line.kind == ChannelKind.SMS else LONGEST_TOPIC
    topic = _topic(scene, ask, language, room)
    ways = "\n".join(_ways(at.db, relay.code.upper(), scene.line.kind))
    at.told.append({"topic": topic, "ways": ways, "join": relay.code, "language": language})
    scene.say(phrase)
    if scene.line.kind != ChannelKind.SMS:
        scene.say_sealed("relay_sheet", join=relay.code)
    others = [one for one in _flow(scene, ask).languages if one != language and one in NAMES]
    here = scene.line.kind == ChannelKind.TELEGRAM and "telegram" in ways_in(at.db, relay.code)
    grouped = [f"{GROUP}|{say('relay_group_option', scene.language)}"]
    offered = [
        f"{REACH}|{say('relay_my_reach', scene.language)}",
        f"{HELPER}|{say('relay_a_helper', scene.language)}",
        *(grouped if here and ask in _postable(scene) else ()),
        *(f"{IN_LANGUAGE}{one}|{NAMES[one]}" for one in others[:MOST_OFFERED]),
    ]
    offer(scene, offered, ask.code)


def _group(at: _At) -> None:
    """How the bot is added to a group: the link says by whom, and for which poll."""
    scene = at.scene
    ask = next((one for one in _postable(scene) if one.code == at.wanted.code), None)
    if ask is None:
        scene.say("relay_over")
    else:
        relay = relays.of_leader(at.db, at.leader, ask.id, now=at.now)
        bot = ways_in(at.db, relay.code)["telegram"].shown.lstrip("@")
        scene.say("relay_group", link=f"https://t.me/{bot}?startgroup={relay.code}")
    ask_again(scene)


def _postable(scene: Scene) -> Sequence[Asked]:
    return [ask for ask in _open(scene) if postable(scene.catalogue, ask, scene.now)]


def _reach(at: _At) -> None:
    """How many answered, in bands; never who."""
    scene = at.scene
    mine = (Relay.organisation_id == organisation_of(at.db), Relay.leader_id == at.leader.id)
    own = at.db.scalars(
        select(Relay)
        .where(*mine, Relay.parent_id.is_(None))
        .order_by(Relay.id.desc())
        .limit(MOST_OFFERED)
    ).all()
    counted = reach(at.db, own, own_reach(at.db, own))
    lines = []
    for relay in own:
        ask = scene.catalogue.asks.get(relay.ask_id)
        if ask is not None:
            topic = _topic(scene, ask, scene.language, LABEL_LENGTH)
            phrase, count = _band(relay, counted[relay.id])
            lines.append(say(phrase, scene.language, topic=topic, count=str(count)))
    scene.say("relay_reach", lines="\n".join(lines) or "0")
    ask_again(scene)


def _band(relay: Relay, people: int) -> tuple[str, int | None]:
    """How a count is told: as a goal that is reached, as a band, or as few."""
    told = band(people).value
    if told is not None and relay.quota is not None and people >= relay.quota:
        return "relay_goal", relay.quota
    return ("relay_few", None) if told is None else ("relay_about", told)


ACTS: Mapping[str, Callable[[_At], None]] = {
    "list": _list,
    "accept": _accept,
    "text": _text,
    "helper": _helper,
    "group": _group,
    "reach": _reach,
}


def _open(scene: Scene) -> Sequence[Asked]:
    asks = [ask for ask in scene.catalogue.asks.values() if ask.is_open(scene.now)]
    known = [ask for ask in asks if scene.catalogue.version(ask.version_id)]
    return sorted(known, key=lambda ask: ask.id, reverse=True)[:MOST_OFFERED]


def _flow(scene: Scene, ask: Asked) -> Flow:
    published = scene.catalogue.version(ask.version_id)
    assert published is not None
    return published.flow


def _topic(scene: Scene, ask: Asked, language: str, most: int) -> str:
    """What an ask is about, else its first question, cut at a word."""
    flow = _flow(scene, ask)
    spoken = flow.language_for(language)
    first = next(one for one in flow.questions if one.waits)
    if most <= LABEL_LENGTH:
        text = flow.about.get(spoken) or label_of(first, spoken)
    else:
        text = first.in_language(first.text, spoken)
    text = filled(text, spoken, tuple(scene.catalogue.names(ask.office_id).items()))
    return text if len(text) <= most else text[: most + 1].rsplit(" ", 1)[0][:most]


def _ways(db: Session, code: str, kind: str) -> list[str]:
    """How each app of the organisation is entered; by SMS there is room for a number only."""
    found = ways_in(db, code)
    lines = {
        "telegram": "Telegram: {0.url}",
        "whatsapp": "WhatsApp: {0.url}",
        "sms": f"SMS: {code} > {{0.shown}}",
    }
    wanted = ("sms",) if kind == ChannelKind.SMS else lines.keys()
    return [lines[one].format(found[one]) for one in wanted if one in found]
