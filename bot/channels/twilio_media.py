"""A voice note from Twilio: fetched with the account's credentials, then erased there.

Twilio sends us on to a short-lived address of its own media servers. That one step is followed, to
its hosts only and without the credentials (reference 3.1, support.twilio.com on media access).
"""

import contextlib

import aiohttp
from yarl import URL

from bot.channels.base import ChannelView, SendError
from bot.channels.media import TIMEOUT, Medium, get, whole
from bot.channels.twilio_sending import account_url, authorization

MEDIA_HOSTS = ".twiliocdn.com"
_MOVED = frozenset({301, 302, 303, 307, 308})


async def fetch(http: aiohttp.ClientSession, view: ChannelView, url_base: str, file: str) -> Medium:
    """Return the recording at this path below the account, and leave none at Twilio."""
    url, headers = f"{account_url(view, url_base)}{file}", {"Authorization": authorization(view)}
    got = await get(http, url, headers)
    if got.status in _MOVED:
        got = await get(http, _media_server(got.location), {})
    medium = whole(got)
    # Whoever asked us to forget it shall not be heard there either; their own erasure comes later.
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with http.delete(url, headers=headers, timeout=TIMEOUT, allow_redirects=False):
            pass
    return medium


def _media_server(location: str) -> URL:
    try:
        url = URL(location)
    except ValueError:
        url = URL()
    own = url.scheme == "https" and url.explicit_port is None and url.user is None
    if not own or not (url.host or "").endswith(MEDIA_HOSTS):
        raise SendError("bad_place", "Twilio sent us to a place we do not go to.")
    return URL(location, encoded=True)
