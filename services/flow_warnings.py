"""What will not work as a flow says it, though it may be asked: told to whoever saves or opens it.

Warnings stop nothing: a poll is reached by its code and its push, whatever else opens its word,
and a flow that follows may be published until its time comes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from flows.flow import Flow
from flows.lint import Finding
from flows.normalising import normalise
from models.ask import AskStatus
from services.catalogue import Asked, Catalogue


def list_warnings(
    flow: Flow, catalogue: Catalogue, *, ask_id: UUID | None = None, now: datetime
) -> list[Finding]:
    """Return what will not work, by its place in the flow; `ask_id` is the ask that asks it.

    Words are those of the whole organisation: whatever office, language or channel a poll is for,
    a word opens one thing.
    """
    return [*_shared_words(flow, catalogue, ask_id, now), *_follow_ups(flow, catalogue)]


def _shared_words(
    flow: Flow, catalogue: Catalogue, ask_id: UUID | None, now: datetime
) -> Iterator[Finding]:
    asks = sorted(catalogue.asks.values(), key=lambda one: one.id)
    rivals = [one for one in asks if one.id != ask_id and _takes_words(one, now)]
    if ask_id is None:
        rivals = [one for one in rivals if one.flow != flow.id]
    unasked = catalogue.newest.keys() - {one.flow for one in asks} - {flow.id}
    for language, words in flow.entry.items():
        for word in words:
            for problem in _claims(word, catalogue, rivals, sorted(unasked)):
                yield Finding(f"entry.{language}", f"«{word}» {problem}")


def _claims(
    word: str, catalogue: Catalogue, rivals: Iterable[Asked], unasked: Iterable[str]
) -> Iterator[str]:
    """Say what else a word opens: polls, flows that stand alone, a code."""
    for ask in rivals:
        if _opens(catalogue, ask.flow, word):
            yield (
                f"also opens the poll {ask.flow} (code {ask.code.upper()}), {_until(ask)}: whoever "
                "writes it gets the newer of the two. Choose another word, or close that poll."
            )
    for other in unasked:
        if _opens(catalogue, other, word):
            yield f"also opens the flow {other}: only one is reached by it. Choose another word."
    if catalogue.entry(word):
        yield "is a code that people were given. Choose another word."


def _takes_words(ask: Asked, now: datetime) -> bool:
    """Whether an ask takes answers, or will by itself."""
    return ask.is_open(now) or (ask.status is AskStatus.DRAFT and ask.opens_at is not None)


def _opens(catalogue: Catalogue, flow: str, word: str) -> bool:
    published = catalogue.newest.get(flow)
    words = published.flow.entry.values() if published else ()
    return normalise(word) in {normalise(one) for several in words for one in several}


def _until(ask: Asked) -> str:
    if ask.status is AskStatus.DRAFT and ask.opens_at is not None:
        return f"which opens on {ask.opens_at.date()}"
    return f"open until {ask.closes_at.date()}" if ask.closes_at else "which is open"


def _follow_ups(flow: Flow, catalogue: Catalogue) -> Iterator[Finding]:
    for index, one in enumerate(flow.follow_ups):
        place = f"follow_ups[{index}].start"
        published = catalogue.newest.get(one.start)
        if published is None and one.start != flow.id:
            told = f"The flow {one.start} is not published: publish it, or nothing will follow."
            yield Finding(place, told)
        elif published is not None and published.flow.secret:
            told = f"{one.start} is a secret poll, which cannot follow by itself: name another."
            yield Finding(place, told)
