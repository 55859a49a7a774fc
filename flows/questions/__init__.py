"""The list of question types: one line each."""

from collections.abc import Mapping
from typing import Final

from flows.questions.base import Question
from flows.questions.choice import Choice
from flows.questions.consent import Consent
from flows.questions.contact import Contact
from flows.questions.country import Country
from flows.questions.date import Date
from flows.questions.language import Language
from flows.questions.multi import Multi
from flows.questions.note import Note
from flows.questions.number import Number
from flows.questions.phone import Phone
from flows.questions.place import PlaceQuestion
from flows.questions.scale import Scale
from flows.questions.text import FreeText
from flows.questions.yes_no import YesNo

TYPES: Final[tuple[type[Question], ...]] = (
    Choice,
    Consent,
    Contact,
    Country,
    Date,
    FreeText,
    Language,
    Multi,
    Note,
    Number,
    Phone,
    PlaceQuestion,
    Scale,
    YesNo,
)

BY_NAME: Final[Mapping[str, type[Question]]] = {kind.type: kind for kind in TYPES}
