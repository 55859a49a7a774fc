"""A vote of a secret poll: into the ballot box and nowhere else, with the conversation's move."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from flows.inputs import Pressed, Text
from flows.normalising import normalise
from flows.questions.base import Answer, At, Question
from models.ask import AskMode
from models.ballot_keys import BallotKeys
from models.db import transaction
from models.message_path import AlreadyTaken, ConversationMoved, apply_many, is_away
from models.sealed import Keyring
from services.asks import ballots
from services.asks.ballots import Cast
from services.asks.poll_results import say_when
from services.conversation.changes import gather, rows_of
from services.conversation.scene import Scene
from services.messages.rendering import body_as_sent

SAID = {Cast.TAKEN: "vote_taken", Cast.BEFORE: "voted_already", Cast.CLOSED: "vote_too_late"}


class VoteNotTaken(Exception):
    """A message that may be a vote could not be handled; it is kept nowhere, in no quarantine."""

    def __init__(self, language: str) -> None:
        super().__init__("the person is asked to try again")
        self.language = language


def hide_votes(scene: Scene) -> None:
    """Mark a message that may be a vote.

    The secret question waits or was answered last, or it is a button of one, however old.
    """
    if isinstance(scene.heard.input, Pressed):
        scene.secret = any(_answers(scene, one) for one in _secret_questions(scene))
        return
    running = scene.running
    if running is not None:
        question = running.published.flow.question(running.state.asked)
        scene.secret = question is not None and question.secret
    elif scene.voted is not None and (voted := scene.catalogue.version(scene.voted)):
        scene.secret = any(_answers(scene, one) for one in voted.flow.questions if one.secret)


@contextmanager
def kept_nowhere(scene: Scene) -> Iterator[None]:
    """Let what fails with a message that may be a vote be told, not kept; raises VoteNotTaken."""
    try:
        yield
    except (ConversationMoved, AlreadyTaken):
        raise
    except Exception as error:
        if scene.secret and not is_away(error):
            raise VoteNotTaken(scene.language) from error
        raise


def _secret_questions(scene: Scene) -> Iterator[Question]:
    for ask in scene.catalogue.asks.values():
        published = scene.catalogue.version(ask.version_id) if ask.mode is AskMode.SECRET else None
        yield from (one for one in published.flow.questions if one.secret) if published else ()


def _answers(scene: Scene, question: Question) -> bool:
    match scene.heard.input:
        case Pressed(payload):
            return payload.split(".")[1:2] == [question.id]
        case Text(text):
            at = At(language=scene.language)
            return isinstance(question.read(text, normalise(text), at), Answer)
    return False


def vote(
    engine: Engine, keyring: Keyring, keys: BallotKeys, scene: Scene, *, now: datetime
) -> bool:
    """Take the scene's vote and write what else it changes, in one transaction; whether we reply.

    Raises BallotKeysMissing, and what apply_many raises; then nothing is written.
    """
    given, line = scene.vote, scene.line
    assert given is not None
    assert scene.running is not None
    with transaction(engine, line.organisation_id) as db:
        outcome = ballots.cast(db, keys, given.ask_id, scene.contact_id, given.value)
        scene.voted = scene.running.published.version_id
        notes = [part for part in scene.parts if part.get("say") != "thanks"]
        scene.parts = [{"say": SAID[outcome], "params": {}}]
        if outcome is Cast.TAKEN and not notes:
            say_when(scene, scene.catalogue.asks[given.ask_id])
        scene.parts += notes
        rows = rows_of(scene, keyring, body_as_sent)
        apply_many(db.connection(), line.organisation_id, line.id, gather([rows], now))
    return bool(rows.outgoing)
