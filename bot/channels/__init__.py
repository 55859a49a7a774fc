"""The channels by kind: adding one is one file here and one line below."""

from bot.channels.base import Channel
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
