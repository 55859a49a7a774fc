"""Polls in each language: what is to be translated, and the translation of a draft."""

from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from api.errors import Fault, Problem
from api.fields import LANGUAGE, Strict, described
from api.poll_shapes import PollDetail
from api.polls import detail, poll_of
from api.resource import Resource
from api.work import Work
from flows.flow import Flow
from flows.translating import Words, sheet
from services.asks import asks, translations

resource = Resource("poll languages", "The texts of a poll, language by language.")
_MOST = 500
_LONGEST = 2000
_SHAPE = validate.Regexp(rf"{LANGUAGE}\Z")


class WordsOf(fields.Raw):
    """A text, or a list of words."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Words:
        each = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) and 0 < len(one.strip()) <= _LONGEST for one in each):
            raise ValidationError("Give a text, or a list of words.")
        found: Words = value
        return found


class TextRow(Strict):
    """One text."""

    place = described(fields.String(required=True), "Its name, as missing_languages lists it.")
    source = described(
        fields.Raw(required=True, allow_none=True), "As the poll's first language has it."
    )
    text = described(fields.Raw(required=True, allow_none=True), "In this language; null: missing.")
    needed = described(
        fields.Boolean(required=True), "Whether people would read the first language instead."
    )


class PollLanguage(Strict):
    """A poll in one language."""

    language = fields.String(required=True)
    spoken = described(fields.Boolean(required=True), "Whether it is a language of the poll.")
    texts = fields.List(fields.Nested(TextRow), required=True)


class Translation(Strict):
    """Texts by their places; what is left out stays as it is."""

    texts = fields.Dict(
        keys=fields.String(),
        values=WordsOf(),
        required=True,
        validate=validate.Length(min=1, max=_MOST),
    )


@resource.operation("GET", "/polls/<uuid:poll_id>/languages/<language>", gives=PollLanguage)
def get_poll_language(work: Work, poll_id: UUID, language: str) -> dict[str, Any]:
    """List every text of a poll beside its translation, to be filled in."""
    flow = asks.flow_of(work.db, poll_of(work, poll_id))
    return _told(flow, _checked(language))


@resource.operation(
    "PUT", "/polls/<uuid:poll_id>/languages/<language>", body=Translation, gives=PollDetail
)
def put_poll_language(
    work: Work, body: dict[str, Any], poll_id: UUID, language: str
) -> dict[str, Any]:
    """Add a language to a draft, or better words; the answer says what is still missing."""
    poll_of(work, poll_id)
    ask = translations.translate(
        work.db, poll_id, _checked(language), body["texts"], actor=work.actor, now=work.now
    )
    return detail(work, ask)


def _checked(language: str) -> str:
    try:
        return str(_SHAPE(language))
    except ValidationError:
        told = "A language is a BCP 47 word, such as pt."
        raise Problem(422, faults=[Fault("language", told)]) from None


def _told(flow: Flow, language: str) -> dict[str, Any]:
    spoken = language in flow.languages
    return {"language": language, "spoken": spoken, "texts": sheet(flow, language)}
