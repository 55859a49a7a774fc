"""From the stored, text-free form of what we say to words in somebody's language.

Pure, so results are remembered: the same question in the same language is composed once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from flows.dates import show
from flows.filling import Names, filled
from flows.flow import Flow
from flows.loader import PHRASES, read
from flows.questions.base import UNTICK, At, Question, Shown

LANGUAGES: Final = ("en", "fr", "es", "pt", "ar")
"""The languages we ship; the first is what others fall back to."""
_LAST_RUNG: Final = 3
_MEANT: Final = ("did_you_mean", "guess_right", "guess_wrong")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to press; `digit` is what to send where there are no buttons, or empty."""

    label: str
    payload: str
    digit: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One message, before any channel formats it.

    `style` is none, choice, multi or search. `picked` are payloads already chosen. `navigation`
    are skip, back, more, done and the like. `hint` says how to answer without buttons.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    style: str = "none"
    picked: tuple[str, ...] = ()
    navigation: tuple[Choice, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A composed question without the tag of its passage."""

    text: str
    style: str
    choices: tuple[Shown, ...]
    navigation: tuple[Shown, ...]
    hint: str
    waits: bool


@dataclass(frozen=True, slots=True)
class _Form:
    """How a question is asked this time."""

    rung: int
    page: int
    picked: tuple[str, ...]
    position: tuple[int, ...]
    guess: str | None
    hinted: bool
    order: int
    later: bool


def compose(
    parts: Sequence[Mapping[str, Any]],
    *,
    flow: Flow | None,
    language: str,
    tag: str,
    names: Mapping[str, str],
) -> Prompt:
    """The message that the parts of `events.as_part` say, in the language.

    `names` fills placeholders such as organisation. `flow` may be None when nothing is asked. A
    part that names an unknown phrase or question is left out.
    """
    filled = tuple(sorted(names.items()))
    texts: list[str] = []
    waiting: tuple[_Piece, str, Sequence[str]] | None = None
    said: Mapping[str, Any] = {}
    for part in parts:
        if "say" in part:
            given = tuple(sorted(_params(part, flow, language).items()))
            texts.append(_said(part["say"], language, given, filled))
            said = said if said.get("press") else part
            continue
        question = flow.question(part["ask"]) if flow is not None else None
        if question is None:
            continue
        piece = _asked(question, language, _form(part), filled)
        texts.append(piece.text)
        if piece.waits:
            waiting = (piece, question.id, part.get("picked") or ())
    text = "\n".join(filter(None, texts))
    found = _pressable(text, said, language) if waiting is None else _prompt(text, tag, *waiting)
    if any(part.get("leave") for part in parts):
        return replace(found, hint=f"{found.hint} {phrase('hint_stop', language)}".lstrip())
    return found


def _params(part: Mapping[str, Any], flow: Flow | None, language: str) -> dict[str, str]:
    """What fills a phrase: its params, `words` of other phrases, `dates`, an answer's label."""
    params = dict(part.get("params") or {})
    params |= {name: phrase(of, language) for name, of in (part.get("words") or {}).items()}
    params |= {name: show(day, language) for name, day in (part.get("dates") or {}).items()}
    if "answer" in part and flow is not None:
        asked, value = part["answer"]
        question = flow.question(asked)
        values = value if isinstance(value, list) else [value]
        if question is not None:
            params["said"] = ", ".join(question.label(str(one), language) for one in values)
    return params


def _pressable(text: str, part: Mapping[str, Any], language: str) -> Prompt:
    """A message that asks nothing, with the buttons of what was said."""
    buttons = part.get("press") or ()
    return Prompt(
        text=text,
        choices=tuple(Choice(phrase(label, language), payload, "") for label, payload in buttons),
        style="choice" if buttons else "none",
        hint=phrase(part["hint"], language) if "hint" in part else "",
    )


def _form(part: Mapping[str, Any]) -> _Form:
    return _Form(
        rung=part.get("rung", 0),
        page=part.get("page", 0),
        picked=tuple(part.get("picked") or ()),
        position=tuple(part.get("position") or ()),
        guess=part.get("guess"),
        hinted=bool(part.get("hinted")),
        order=part.get("order", 0),
        later=bool(part.get("later")),
    )


def _prompt(text: str, tag: str, piece: _Piece, asked: str, picked: Sequence[str]) -> Prompt:
    """The message that ends with a question, its buttons marked with the passage.

    A ticked box of a multiple choice is a button that takes the tick away, and no other does, so
    that pressing twice in a hurry is pressing once.
    """
    stem = f"{tag}.{asked}."
    ticked = {one: f"{UNTICK}{one}" for one in picked} if piece.style == "multi" else {}
    return Prompt(
        text=text,
        choices=tuple(
            Choice(one.label, stem + ticked.get(one.value, one.value), one.digit)
            for one in piece.choices
        ),
        style=piece.style,
        picked=tuple(stem + one for one in ticked.values()),
        navigation=tuple(
            Choice(one.label, stem + one.value, one.digit) for one in piece.navigation
        ),
        hint=piece.hint,
    )


def as_lines(prompt: Prompt) -> str:
    """The message for channels without buttons: the text, then `1 Label` lines, then the hint."""
    lines = [prompt.text] if prompt.text else []
    lines += [f"{one.digit} {one.label}" for one in prompt.choices if one.digit]
    lines += [f"{one.digit} {one.label}" for one in prompt.navigation if one.digit]
    if prompt.hint:
        lines.append(prompt.hint)
    return "\n".join(lines)


def say(phrase: str, language: str, **params: str) -> str:
    """A phrase in the language, else in English; empty for an unknown phrase."""
    return _said(phrase, language, tuple(sorted(params.items())), ())


@lru_cache(maxsize=len(LANGUAGES))
def phrases(language: str) -> Mapping[str, str]:
    """Every phrase in one shipped language."""
    found = read(PHRASES / f"{language}.yaml")
    return {name: str(text).strip() for name, text in found.items()}


def phrase(name: str, language: str) -> str:
    """The phrase as written, with its placeholders; English where the language has none."""
    short = language if language in LANGUAGES else language.split("-")[0]
    own = phrases(short).get(name) if short in LANGUAGES else None
    return own if own is not None else phrases(LANGUAGES[0]).get(name, "")


def _said(name: str, language: str, params: Names, names: Names) -> str:
    return filled(phrase(name, language), language, (*names, *params))


@lru_cache(maxsize=8192)
def _asked(
    question: Question,
    language: str,
    form: _Form,
    names: Names,
) -> _Piece:
    at = At(language, form.page, form.picked, order=form.order)
    if form.guess is not None:
        place = _position(form.position, language) if form.hinted else ""
        return _guessed(question, form.guess, language, place, form.hinted)
    rung, picked = form.rung, form.picked
    lines: list[str] = []
    if rung:
        name = "stuck" if rung >= _LAST_RUNG else question.help[rung - 1]
        lines.append(filled(phrase(name, language), language, names) if name else "")
    else:
        lines.append(_position(form.position, language))
    if picked and question.style(at) == "search":
        lines.append(phrase("which_one", language))
    elif not rung or (rung == 1 and question.repeats):
        lines.append(filled(question.said(at), language, names))
    navigation, hint = _navigation(question, at, rung, form.position)
    if form.later:
        navigation = (*navigation, Shown(phrase("not_now", language), "not_now"))
    return _Piece(
        text="\n".join(filter(None, lines)),
        style=question.style(at),
        choices=question.shown(at),
        navigation=navigation,
        hint=hint,
        waits=question.waits,
    )


def _navigation(
    question: Question, at: At, rung: int, position: tuple[int, ...]
) -> tuple[tuple[Shown, ...], str]:
    """The buttons beside the options, and the sentence that stands for them without buttons."""
    found = [
        Shown(phrase(label, at.language), value, digit)
        for label, value, digit in question.beside(at)
    ]
    hints = [phrase(question.hint, at.language)] if question.hint and not rung else []
    back = len(position) == 2 and position[0] > 1
    for value, digit, wanted in (("skip", "0", not question.required), ("back", "9", back)):
        if wanted:
            shown = digit if question.digits else ""
            found.append(Shown(phrase(value, at.language), value, shown))
            if not shown and question.waits:
                hints.append(phrase(f"hint_{value}", at.language))
    if rung >= _LAST_RUNG:
        found.append(Shown(phrase("person", at.language), "person", ""))
    return tuple(found), " ".join(hints)


def _position(position: tuple[int, ...], language: str) -> str:
    if len(position) != 2:
        return ""
    place = (("at", str(position[0])), ("of", str(position[1])))
    return filled(phrase("position", language), language, place)


def _guessed(question: Question, guess: str, language: str, place: str, hinted: bool) -> _Piece:
    meant = (("guess", question.label(guess, language)),)
    asked, right, wrong = (hinted and question.hinting) or _MEANT
    lines = (place, filled(phrase(asked, language), language, meant))
    return _Piece(
        text="\n".join(filter(None, lines)),
        style="choice",
        choices=(
            Shown(phrase(right, language), "yes", "1"),
            Shown(phrase(wrong, language), "no", "2"),
        ),
        navigation=(),
        hint="",
        waits=True,
    )
