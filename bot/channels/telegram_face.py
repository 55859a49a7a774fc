"""What a Telegram bot shows before anybody writes: its commands and its description."""

from collections.abc import Sequence
from typing import Final

from bot.channels.telegram_setup import BotFace
from flows.wording import say

COMMANDS: Final = (
    *("menu", "help", "language", "change", "mydata"),
    *("person", "privacy", "stop", "delete"),
)


def face(organisation: str, languages: Sequence[str]) -> BotFace:
    """Return the commands and descriptions in these languages; the first serves all others."""
    spoken = {"": languages[0]} | {language: language for language in languages}
    return BotFace(
        commands={
            code: [(name, say(f"command_{name}", language)) for name in COMMANDS]
            for code, language in spoken.items()
        },
        descriptions={
            code: (
                say("bot_short", language, organisation=organisation),
                say("bot_long", language, organisation=organisation),
            )
            for code, language in spoken.items()
        },
    )
