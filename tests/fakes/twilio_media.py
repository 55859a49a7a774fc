"""Media at the fake Twilio: recordings that phones sent, until somebody erases them."""

from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.twilio_state import ApiError

if TYPE_CHECKING:
    from tests.fakes.twilio import FakeTwilio

VOICE = b"OggS a voice note"
PLACE = "/2010-04-01/Accounts/{account}/Messages/{message}/Media/{medium}"


class MediaDesk:
    """What phones sent, by sid; `moved` is where whoever fetches it is sent instead."""

    def __init__(self, fake: "FakeTwilio") -> None:
        self._fake = fake
        self.kept: dict[str, bytes] = {"ME1": VOICE}
        self.moved = ""
        self.fetched = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PLACE, self._give), web.delete(PLACE, self._forget)]

    async def _give(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return refused
        self.fetched += 1
        if self.moved:
            return web.Response(status=307, headers={"Location": self.moved})
        data = self.kept.get(request.match_info["medium"])
        if data is None:
            return web.Response(status=404)
        return web.Response(body=data, content_type="audio/ogg")

    async def _forget(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return refused
        self.kept.pop(request.match_info["medium"], None)
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        try:
            self._fake.authorise(request)
        except ApiError as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        return None
