"""CHANGE: which answer to correct, and that one question asked again.

The choice is an aside made from the person's own answers. The answers are those of the running
registration, else of the last one, which is read from its rows only now (``Scene.recalls``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Engine, select

from flows import engine
from flows.flow import Flow, build
from flows.questions.base import Question
from flows.state import COMPLETE, SEALED, SHOWN, SKIPPED, State, Value
from flows.wording import phrase
from models.db import transaction
from models.flow_session import Answer, FlowSession
from models.message import Message, MessageKind
from services.asks import poll_answers
from services.catalogue import Catalogue, Published
from services.conversation.apply import apply_aside, apply_events
from services.conversation.props import Sent
from services.conversation.scene import Given, Memory, Past, Running, Scene
from services.conversation.sessions import ask_again, ask_again_or_offer

ASIDE = "change"
NOT_CORRECTED = frozenset({"language", "consent"})
"""LANGUAGE changes the one; STOP and DELETE take back the other."""
LABEL_LENGTH = 24
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
JUST_NOW = timedelta(hours=24)
_OF_POLL = "poll"
"""What the choice knows when it is about the poll answered last."""
MOST_SENT = 20


def change(scene: Scene) -> None:
    """Ask which answer is wrong; with only one answer ask its question at once.

    Just after a poll it is the answer to that.
    """
    if _just_polled(scene) and (change_poll(scene) or poll_answers.tell_over(scene)):
        return
    if poll_answers.has_voted(scene) and not scene.needs_memory:
        scene.say("voted_already")
    if scene.is_new:
        scene.say("nothing_to_change")
        ask_again_or_offer(scene)
        return
    if not _known(scene):
        return
    published, among = correctable(scene)
    if published is None or not among:
        scene.say("nothing_to_change")
        ask_again(scene)
    elif len(among) == 1:
        _ask_anew(scene, among[0])
    else:
        _ask_which(scene, published, among)


def change_poll(scene: Scene) -> bool:
    """Ask which answer of the poll last answered is wrong, of only one its question at once.

    False when there is none to change.
    """
    among = poll_answers.changeable(scene)
    if scene.done is not None and len(among) > 1:
        _ask_which(scene, scene.done.published, among, known={_OF_POLL: True})
        return True
    return bool(among) and poll_answers.change_answer(scene, among[0])


def _ask_which(
    scene: Scene,
    published: Published,
    among: tuple[str, ...],
    known: Mapping[str, Value] = MappingProxyType({}),
) -> None:
    scene.among = (published.version_id, among)
    aside = aside_of(published.flow, among)
    started, events = engine.start(
        aside, tag=scene.next_tag(), language=scene.language, now=scene.now
    )
    scene.aside = replace(started, known=known)
    apply_aside(scene, aside, scene.aside, events)


def _just_polled(scene: Scene) -> bool:
    at = scene.done.shown_at or scene.done.completed_at if scene.done else None
    return at is not None and scene.running is None and scene.now - at < JUST_NOW


def aside_in(scene: Scene) -> Flow | None:
    """The open choice, made again; None when rows must be read first, or nothing is left of it."""
    if scene.aside and _OF_POLL in scene.aside.known:
        published, among = _polled(scene), poll_answers.changeable(scene)
    elif _known(scene):
        published, among = correctable(scene)
    else:
        return None
    if published is None or len(among) < 2:
        return None
    scene.among = (published.version_id, among)
    return aside_of(published.flow, among)


def correct(scene: Scene) -> None:
    """Ask the chosen question again; its newest answer will replace the old."""
    if scene.chosen and scene.answered_aside and _OF_POLL in scene.answered_aside.known:
        poll_answers.change_answer(scene, scene.chosen)
    elif scene.chosen:
        _ask_anew(scene, scene.chosen)


def give_up(scene: Scene) -> None:
    """Leave all answers as they are, and go on where the person was."""
    running = scene.running
    if running and running.correcting and running.completed_at:
        poll_answers.keep_answer(scene, running)
        return
    scene.say("kept_as_is")
    ask_again(scene)


def _polled(scene: Scene) -> Published | None:
    return scene.done.published if scene.done else None


def correctable(scene: Scene) -> tuple[Published | None, tuple[str, ...]]:
    """The registration whose answers count, and the questions answered there."""
    running = scene.running
    if running and running.published.flow.kind == "registration":
        published, answers = running.published, running.state.answers
    elif scene.memory and scene.memory.past:
        published, answers = scene.memory.past.published, scene.memory.past.answers
    else:
        return None, ()
    return published, tuple(
        one.id
        for one in published.flow.questions
        if one.id in answers and one.waits and one.type not in NOT_CORRECTED
    )


@lru_cache(maxsize=256)
def aside_of(flow: Flow, among: tuple[str, ...]) -> Flow:
    """The small flow that asks which of these answers is to be corrected."""
    languages = list(flow.languages)
    options: list[dict[str, Any]] = []
    for question in filter(None, map(flow.question, among)):
        label = {one: label_of(question, one) for one in languages}
        options.append({"value": question.id, "label": label})
    asked = {
        "id": ASIDE,
        "type": "choice",
        "required": "no",
        "text": {one: phrase("which_change", one) for one in languages},
        "options": options,
    }
    return build({"flow": ASIDE, "kind": "aside", "languages": languages, "questions": [asked]})


def label_of(question: Question, language: str) -> str:
    """What a question is called in a list, at most 24 characters."""
    own = phrase(f"about_{question.id}", language)
    text = own or _PLACEHOLDER.sub("...", question.in_language(question.text, language))
    if len(text) <= LABEL_LENGTH:
        return text
    return text[: LABEL_LENGTH + 1].rsplit(" ", 1)[0][:LABEL_LENGTH]


def read_memory(database: Engine, catalogue: Catalogue, contact_id: UUID) -> Memory:
    """What the rows tell of a person: every answer, and the last registration of them."""
    with transaction(database, catalogue.organisation_id) as db:
        mine = select(Answer).where(Answer.contact_id == contact_id)
        rows = db.scalars(mine.order_by(Answer.answered_at, Answer.question)).all()
        sessions = db.scalars(
            select(FlowSession)
            .where(
                FlowSession.contact_id == contact_id,
                (FlowSession.kind == "registration") | FlowSession.ask_id.is_not(None),
            )
            .order_by(FlowSession.id)
        ).all()
        sent = db.execute(
            select(Message.provider_id, Message.content)
            .where(Message.contact_id == contact_id, Message.kind == MessageKind.BROADCAST)
            .order_by(Message.id.desc())
            .limit(MOST_SENT)
        ).all()
    answered = {row.session_id for row in rows}
    registrations = [s for s in sessions if s.kind == "registration" and s.id in answered]
    last = registrations[-1] if registrations else None
    asked = {s.ask_id: past for s in sessions if s.ask_id and (past := _past(s, rows, catalogue))}
    given = [
        Given(published, row.question, value_of(row))
        for row in rows
        if (published := catalogue.version(row.flow_version_id))
    ]
    past = _past(last, rows, catalogue) if last else None
    told = [Sent(row.provider_id, row.content) for row in sent if row.content]
    return Memory(past=past, answers=given, asked=asked, sent=told)


def _past(session: FlowSession, rows: Sequence[Answer], catalogue: Catalogue) -> Past | None:
    published = catalogue.version(session.flow_version_id)
    if published is None:
        return None
    return Past(
        session_id=session.id,
        published=published,
        answers={row.question: value_of(row) for row in rows if row.session_id == session.id},
        origin=session.origin,
        completed_at=session.completed_at,
    )


def value_of(row: Answer) -> Value:
    """An answer as the engine remembers it."""
    if row.skipped or (row.value is None and row.sealed is None):
        return SKIPPED
    return SEALED if row.sealed is not None else cast(Value, row.value)


def _known(scene: Scene) -> bool:
    running = scene.running
    return (running is not None and running.published.flow.kind == "registration") or (
        scene.recalls()
    )


def _ask_anew(scene: Scene, question: str) -> None:
    running = scene.running
    if running is None or running.published.flow.kind != "registration":
        running = _reopened(scene)
    if running is None:
        return
    state, events = engine.reopen(running.published.flow, running.state, question, now=scene.now)
    if events:
        running.state, running.correcting = state, question
        apply_events(scene, running, events)


def _reopened(scene: Scene) -> Running | None:
    past = scene.memory.past if scene.memory else None
    if past is None:
        return None
    flow = past.published.flow
    shown = {one.id: SHOWN for one in flow.questions if not one.waits}
    state = State(
        flow=flow.id,
        version=flow.version,
        tag=scene.next_tag(),
        language=flow.language_for(scene.language),
        answers={**shown, **past.answers},
        status=COMPLETE,
    )
    scene.paused = scene.running
    scene.running = Running(
        id=past.session_id,
        published=past.published,
        state=state,
        origin=dict(past.origin),
        completed_at=past.completed_at,
    )
    return scene.running
