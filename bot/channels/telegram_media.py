"""A voice note from Telegram: getFile says where it lies, and it is fetched from there."""

import json
import re

import aiohttp

from bot.channels.base import ChannelView, SendError
from bot.channels.media import LARGEST, TOO_LARGE, Medium, get, whole

_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]{1,8})?")
_TYPES = {"oga": "audio/ogg", "ogg": "audio/ogg", "mp3": "audio/mpeg", "m4a": "audio/mp4"}


async def fetch(http: aiohttp.ClientSession, view: ChannelView, url_base: str, file: str) -> Medium:
    """Return the recording with this file_id; its place is taken as a name below our base only."""
    base, token = url_base.rstrip("/"), view.credentials.get("token", "")
    told = whole(await get(http, f"{base}/bot{token}/getFile?file_id={file}", {}))
    path, size = _place(told.data)
    if size > LARGEST:
        raise SendError(TOO_LARGE, "The voice note is larger than we keep.")
    found = whole(await get(http, f"{base}/file/bot{token}/{path}", {}))
    return Medium(_TYPES.get(path.rpartition(".")[2].lower(), "audio/ogg"), found.data)


def _place(body: bytes) -> tuple[str, int]:
    try:
        told = json.loads(body)["result"]
        path, size = str(told["file_path"])[:200], int(told.get("file_size") or 0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SendError("bad_answer", "Telegram did not say where it lies.") from None
    if not _PATH.fullmatch(path):
        raise SendError("bad_place", "Telegram named a place we do not go to.")
    return path, size
