"""The channels by kind: adding one is one file here and one line below."""

from collections.abc import Mapping

from bot.channels import telegram_media, twilio_media
from bot.channels.base import Channel
from bot.channels.media import Fetch
from bot.channels.simulator import Simulator
from bot.channels.telegram import Telegram
from bot.channels.twilio import Twilio

_twilio = Twilio()

CHANNELS: dict[str, Channel] = {
    "telegram": Telegram(),
    "sms": _twilio,
    "whatsapp": _twilio,
    "simulator": Simulator(),
}

VOICE: Mapping[str, Fetch] = {
    "telegram": telegram_media.fetch,
    "sms": twilio_media.fetch,
    "whatsapp": twilio_media.fetch,
}
"""Where voice notes are fetched from, by kind."""
