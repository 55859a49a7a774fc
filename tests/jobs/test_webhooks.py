"""Endpoints on loopback are told over real HTTP; whatever leads home is refused at the socket."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import Engine, select

from jobs.webhooks import LONGEST_ANSWER, WebhookLoop, open_guarded, post
from models import WebhookDelivery
from models.db import transaction
from models.sealed import Keyring
from services.organisations import OrganisationKeyring
from services.webhooks import webhooks
from services.webhooks.webhook_signing import sign
from services.webhooks.webhook_targets import is_public
from services.webhooks.webhook_tries import Result, Try
from tests.channels.receiver import Receiver
from tests.conftest import MadeUp, MovedByHand
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


def loopback(address: str) -> bool:
    """What only these tests allow."""
    return address == "127.0.0.1"


@pytest.fixture
def endpoint() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def request_to(url: str) -> Try:
    return Try(UUID(int=1), UUID(int=2), UUID(int=3), url, {"webhook-id": "1"}, b"{}")


def told(
    url: str,
    allowed: Callable[[str], bool] = loopback,
    look: Callable[[str, int], Awaitable[list[str]]] | None = None,
) -> Result:
    async def go() -> Result:
        more: dict[str, Any] = {"look": look} if look else {}
        async with open_guarded(allowed, **more) as http:
            return await post(http, request_to(url), allowed)

    return asyncio.run(go())


class Names:
    """A name server that gives another answer each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0)


class TestTheWayThere:
    def test_a_name_is_asked_once_and_the_answer_is_used(self, endpoint: Receiver) -> None:
        names = Names(["127.0.0.1"])
        url = endpoint.url.replace("127.0.0.1", "hooks.example.org")
        assert told(url, look=names).status == 200
        assert names.asked == 1
        assert endpoint.requests[0].header("Host").startswith("hooks.example.org")

    def test_a_name_that_turns_home_is_refused_at_the_next_try(self, endpoint: Receiver) -> None:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        url = endpoint.url.replace("127.0.0.1", "hooks.example.org")
        assert told(url, look=names).arrived
        assert told(url, look=names).error_code == "address_refused"

    @pytest.mark.parametrize(
        "addresses",
        [
            [],
            ["8.8.8.8", "127.0.0.1"],
            ["169.254.169.254"],
            ["::1"],
            ["::ffff:127.0.0.1"],
            ["fe80::1"],
        ],
    )
    def test_one_bad_address_spoils_a_name(self, addresses: list[str]) -> None:
        result = told("https://hooks.example.org/", is_public, Names(addresses))
        assert result.error_code == "address_refused"

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1"])
    def test_home_is_refused_whatever_was_stored(self, endpoint: Receiver, host: str) -> None:
        port = endpoint.url.rsplit(":", 1)[1]
        result = told(f"http://{host}:{port}/", is_public)
        assert result.status is None
        assert endpoint.requests == []

    def test_the_socket_has_the_last_word(self, endpoint: Receiver) -> None:
        async def go() -> None:
            async with open_guarded(is_public) as http:
                await http.get(endpoint.url)

        with pytest.raises(aiohttp.ClientConnectorError):
            asyncio.run(go())
        assert endpoint.requests == []


class TestTheAnswer:
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, endpoint: Receiver, status: int) -> None:
        endpoint.plan.statuses = [status]
        endpoint.plan.headers = {"Location": f"{endpoint.url}/elsewhere"}
        result = told(endpoint.url)
        assert (result.status, result.arrived, len(endpoint.requests)) == (status, False, 1)

    def test_an_endless_answer_is_cut_off(self, endpoint: Receiver) -> None:
        endpoint.plan.body = b"x" * (LONGEST_ANSWER + 1)
        result = told(endpoint.url)
        assert (result.error_code, result.arrived) == ("answer_too_long", False)

    def test_a_packed_answer_is_not_unpacked(self, endpoint: Receiver) -> None:
        endpoint.plan.headers = {"Content-Encoding": "gzip"}
        endpoint.plan.body = b"no gzip at all"
        assert told(endpoint.url).arrived

    def test_nobody_there_and_nonsense_have_their_words(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        assert told(f"http://127.0.0.1:{port}/").error_code == "no_connection"


def test_the_worker_tells_signs_and_records(
    engine: Engine,
    making: Making,
    organisation: MadeUp,
    keyring: Keyring,
    clock: MovedByHand,
    endpoint: Receiver,
) -> None:
    with making() as make:
        url = f"{endpoint.url}/hook"
        added = webhooks.add(make.db, make.keys, url, ["case.opened"], now=make.now)
        event = webhooks.test(make.db, added.endpoint.id, now=make.now)
    endpoint.plan.statuses = [500, 200]
    loop = WebhookLoop(engine, OrganisationKeyring(engine, keyring), clock, allowed=loopback)

    async def look() -> int:
        async with open_guarded(loopback) as http:
            started = await loop.once(http)
            await loop.land()
            return started

    started = [asyncio.run(look()), asyncio.run(look())]
    clock.advance(timedelta(seconds=6))
    started.append(asyncio.run(look()))
    assert started == [1, 0, 1]
    _check_signed(endpoint, added.secret, event, clock.now())
    with transaction(engine, organisation.id) as db:
        row = db.scalars(select(WebhookDelivery)).one()
        assert (row.status, row.attempts, row.last_status) == ("delivered", 2, 200)


def _check_signed(endpoint: Receiver, secret: str, event: WebhookDelivery, now: datetime) -> None:
    first, second = endpoint.requests
    assert first.header("webhook-id") == second.header("webhook-id") == str(event.event)
    expected = sign(secret, str(event.event), now, second.body)
    assert second.header("webhook-signature") == expected
    assert second.header("Content-Type") == "application/json"


def test_the_loop_outlives_a_database_that_is_away(
    clock: MovedByHand, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.db import make_engine

    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr("jobs.webhooks.LOOK_EVERY", 0.01)
    loop = WebhookLoop(away, OrganisationKeyring(away, keyring), clock)

    async def live() -> bool:
        running = asyncio.create_task(loop.run())
        done, _ = await asyncio.wait([running], timeout=0.3)
        running.cancel()
        return not done

    assert asyncio.run(live())
    away.dispose()
