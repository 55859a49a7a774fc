"""The person's own number, shared with one press where the app can."""

from collections.abc import Mapping
from typing import ClassVar

from flows.inputs import Attachment
from flows.phones import read_phone
from flows.questions.base import Answer, At, Problem, Reading
from flows.questions.phone import Phone


class Contact(Phone):
    """One's own phone number by a button, as a contact card, or typed; stored sealed as E.164.

    Style `contact` asks the channel for its own button, such as Telegram's request_contact. Where
    there is none, the button explains itself. Somebody else's card is refused and not stored.
    """

    type = "contact"
    keys: ClassVar[tuple[str, ...]] = ("within",)
    help = ("help_contact", "example_phone")
    example: ClassVar[Mapping[str, object]] = {
        "id": "own_number",
        "type": "contact",
        "required": False,
        "text": {"en": "May we have your phone number?"},
    }

    def style(self, at: At) -> str:
        return "contact"

    def beside(self, at: At) -> tuple[tuple[str, str, str], ...]:
        return (("share_number", "share", ""),)

    def press(self, value: str, at: At) -> Reading | None:
        return Problem("help_contact", counts=False) if value == "share" else None

    def attachment(self, given: Attachment) -> Reading:
        if given.kind != "contact":
            return super().attachment(given)
        number = read_phone(f"+{given.number.lstrip('+')}") if given.number else None
        return Problem("not_your_number", counts=False) if number is None else Answer(number)
