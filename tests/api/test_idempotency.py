"""A POST sent twice has one effect and one answer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select, text

from models import AuditEvent, Channel, EntryCode, IdempotencyKey
from models.db import transaction
from tests.api.stage import Api, Caller, problem
from tests.api.test_channels import TELEGRAM
from tests.api.test_flows import POLL

CODES = "/flows/passport-hours/entry-codes"


def _codes(api: Api) -> int:
    with transaction(api.engine, api.organisation.id) as db:
        return db.scalar(select(func.count()).select_from(EntryCode)) or 0


def test_the_first_answer_is_given_again(api: Api, caller: Caller) -> None:
    first = caller.post("/flows", POLL, Idempotency_Key="one")
    again = caller.post("/flows", POLL, Idempotency_Key="one")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.content_type == first.content_type
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_another_request_under_the_same_name_is_refused(caller: Caller) -> None:
    caller.post("/flows", POLL, Idempotency_Key="one")
    other = POLL | {"flow": "another"}
    problem(caller.post("/flows", other, Idempotency_Key="one"), 422, "idempotency_key_reused")
    problem(caller.post(CODES, POLL, Idempotency_Key="one"), 422, "idempotency_key_reused")
    assert len(caller.get("/flows").get_json()["data"]) == 1


def test_a_name_belongs_to_one_key(api: Api, caller: Caller) -> None:
    caller.post("/flows", POLL)
    other = api.caller("*")
    caller.post(CODES, {}, Idempotency_Key="one")
    other.post(CODES, {}, Idempotency_Key="one")
    assert _codes(api) == 3


def test_a_refusal_is_not_kept(caller: Caller) -> None:
    problem(caller.post("/flows", POLL | {"kind": "opera"}, Idempotency_Key="one"), 422)
    assert caller.post("/flows", POLL, Idempotency_Key="one").status_code == 201


def test_an_answer_is_kept_for_a_day(api: Api, caller: Caller) -> None:
    caller.post("/flows", POLL)
    caller.post(CODES, {}, Idempotency_Key="one")
    api.clock.advance(timedelta(hours=24))
    caller.post(CODES, {}, Idempotency_Key="one")
    assert _codes(api) == 3


def test_who_comes_while_it_runs_is_told_so(api: Api, caller: Caller) -> None:
    name = f"idempotency {api.organisation.id} {caller.key_id} one"
    with transaction(api.engine, api.organisation.id) as db:
        lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
        db.execute(lock, {"name": name})
        answer = caller.post("/flows", POLL, Idempotency_Key="one")
    problem(answer, 409, "still_running")
    assert answer.headers["Retry-After"] == "1"
    assert caller.post("/flows", POLL, Idempotency_Key="one").status_code == 201


def test_eight_at_once_have_one_effect(api: Api, caller: Caller) -> None:
    caller.post("/flows", POLL)
    gate = threading.Barrier(8)

    def post(_: int) -> int:
        each = Caller(api.app.test_client(), caller.secret, caller.key_id)
        gate.wait(timeout=10)
        while (answer := each.post(CODES, {}, Idempotency_Key="one")).status_code == 409:
            pass
        codes.append(answer.get_json()["code"])
        return answer.status_code

    codes: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, range(8))) == [201] * 8
    assert len(set(codes)) == 1
    assert _codes(api) == 2


def test_what_is_kept_shows_no_secret(api: Api, caller: Caller) -> None:
    secret = caller.post("/channels", TELEGRAM, Idempotency_Key="one").get_json()["secret"]
    with transaction(api.engine, api.organisation.id) as db:
        row = db.scalars(select(IdempotencyKey)).one()
        assert secret not in str(row.body)
        assert db.scalar(select(func.count()).select_from(Channel)) == 1
        added = select(AuditEvent).where(AuditEvent.action == "channel.added")
        assert len(db.scalars(added).all()) == 1
    again = caller.post("/channels", TELEGRAM, Idempotency_Key="one")
    assert again.get_json()["secret"] == secret


def test_a_name_is_visible_ascii(caller: Caller) -> None:
    for name in ("", "two words", "x" * 201, "caf\u00e9"):
        told = problem(caller.post("/flows", POLL, Idempotency_Key=name), 422)
        assert told["errors"][0]["place"] == "idempotency-key"
