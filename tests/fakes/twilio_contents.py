"""The fake's Content API: objects are made, submitted to WhatsApp and looked at."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.breaking import Reply
from tests.fakes.twilio_checks import checked_content, submit
from tests.fakes.twilio_state import ApiError, Content

if TYPE_CHECKING:
    from tests.fakes.twilio import FakeTwilio

PATH = "/v1/Content"
APPROVALS = f"{PATH}/{{sid}}/ApprovalRequests"


class ContentDesk:
    """The calls about content objects of one fake."""

    def __init__(self, fake: "FakeTwilio") -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(PATH, self._create),
            web.get(f"{PATH}/{{sid}}", self._show),
            web.get(APPROVALS, self._show_approval),
            web.post(f"{APPROVALS}/whatsapp", self._approve),
        ]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        try:
            definition = await request.json()
        except ValueError:
            definition = None

        def act(_: Mapping[str, str]) -> Reply:
            content = Content(self._fake.next_sid("HX"), checked_content(definition))
            self._fake.contents[content.sid] = content
            return Reply(201, {"sid": content.sid, **content.definition})

        return await self._fake.read(request, "content", act)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        def act(_: Mapping[str, str]) -> Reply:
            content = self._content(request)
            return Reply(200, {"sid": content.sid, **content.definition})

        return await self._fake.read(request, "content", act)

    async def _show_approval(self, request: web.Request) -> web.StreamResponse:
        def act(_: Mapping[str, str]) -> Reply:
            content = self._content(request)
            return Reply(200, {"sid": content.sid, "whatsapp": content.as_approval()})

        return await self._fake.read(request, "approval", act)

    async def _approve(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()

        def act(_: Mapping[str, str]) -> Reply:
            submit(self._content(request), asked)
            return Reply(201, self._content(request).as_approval())

        return await self._fake.read(request, "approval", act)

    def _content(self, request: web.Request) -> Content:
        content = self._fake.contents.get(request.match_info["sid"])
        if content is None:
            raise ApiError(404, 20404, "The requested resource was not found")
        return content
