"""A-03: what a stranger hears, and the work it costs, does not depend on who is known.

Work is compared as the statements that reach the database, in order, so no clock is asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from app import create_app
from models import driver, message_path
from tests.bot.conftest import Desk
from tests.bot.test_linking import BY_SMS, Talk

Work = list[str]


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(homeline=desk.homeline).test_client()


@contextmanager
def work_of(desk: Desk) -> Iterator[Work]:
    """Every statement of this process while the block runs, the message path's own calls too."""
    done: Work = []
    usual = driver.call

    def note(*given: Any) -> None:
        done.append(str(given[2]))

    def call(connection: Any, query: str, values: Any) -> Any:
        done.append(query)
        return usual(connection, query, values)

    engines = (desk.homeline.engine, desk.homeline.message_path)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(message_path, "call", call)
        yield done
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def heard_first(talk: Talk, number: int) -> tuple[str, Work]:
    with work_of(talk.desk) as work:
        told = talk.say("hello", on="whatsapp", number=number)
    return told, _handling(work)


def _handling(work: Work) -> Work:
    """Without what the test itself asks."""
    return [each for each in work if "take_many" in each or "apply_many" in each]


def test_a_known_and_an_unknown_number_hear_the_same_at_the_same_cost(desk: Desk) -> None:
    """A-03: somebody who pretends to have a number does not learn that it is registered."""
    talk = Talk(desk)
    talk.say(*BY_SMS)
    talk.say("hi", on="whatsapp", number=55)  # catalogue and keys are read
    known, unknown = heard_first(talk, 7), heard_first(talk, 8)
    assert known == unknown
    assert len(known[1]) == 2


def test_a_wrong_code_costs_the_same_whether_or_not_any_is_out(desk: Desk) -> None:
    """A-03: neither words nor work say that somebody waits to be joined."""
    talk = Talk(desk)
    talk.say(*BY_SMS)

    def tried(number: int, code: str) -> tuple[str, Work]:
        with work_of(desk) as work:
            told = desk.hear(code, number)
        return repr(told), [each for each in work if "pg_catalog" not in each]

    tried(80, "111111")
    nobodys = tried(81, "123456")
    code = talk.take_code()
    assert tried(82, f"{(int(code) + 1) % 10**6:06d}") == nobodys
    assert len(nobodys[1]) > 5, "the comparison sees the work"


def test_links_that_were_never_made_all_cost_the_same(desk: Desk, client: FlaskClient) -> None:
    """A-03: /m/ asks the door once, by a hash; nothing of a person is looked for."""
    desk.register()
    seen = set()
    for token in ("A" * 22, "Z" * 22, "1001", "447700900001", "sms:+447700900001"):
        with work_of(desk) as work:
            page = client.get(f"/m/{token}")
        seen.add((page.status_code, page.text, tuple(work)))
    assert len(seen) == 1
    status, _, statements = seen.pop()
    assert status == 404
    assert len(statements) == 1
    assert "FROM door" in statements[0]
