"""Garbage is refused as a problem with a stable code, never a 5xx, and never repeated."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import Gone

import logs
from api.errors import Problem
from flows.loader import library, read
from services.catalogue import read_catalogue
from services.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from services.people import profiles
from tests.api.stage import Api, Caller, problem
from tests.api.test_flows import POLL
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
CANARY = "Qanariyya-7731"
NUMBER = "+447700907731"
DEEP = b'{"flow": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"", None),
        (b"not json", "malformed_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"flow": NaN}', "not_a_number"),
        (b'{"flow": -Infinity}', "not_a_number"),
        (b'{"flow": 1e400}', "number_too_large"),
        (b'{"flow": ' + b"9" * 5000 + b"}", "number_too_large"),
        (b'{"flow": "\\u0000"}', "bad_text"),
        (b'{"\\u0000": 1}', "bad_text"),
        (b'{"flow": "\\ud800"}', "bad_text"),
        (b'{"flow": "\xff"}', "not_utf8"),
        (b'{"flow": 1, "flow": 2}', "name_twice"),
        (DEEP, "too_deep"),
        (b'{"flow": ' + b"[" * 41 + b"]" * 41 + b"}", "too_deep"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(caller: Caller, body: bytes, code: str | None) -> None:
    problem(caller.post_raw("/flows", body), 422 if code is None else 400, code)


def test_a_body_must_be_json_uncompressed_and_small(caller: Caller) -> None:
    whole = json.dumps(POLL).encode()
    problem(caller.post_raw("/flows", whole, "text/plain"), 415, "not_json")
    problem(caller.post_raw("/flows", b"a=1", "application/x-www-form-urlencoded"), 415)
    packed = caller.client.post(
        "/api/v1/flows",
        data=gzip.compress(whole),
        headers=caller.headers({"Content-Encoding": "gzip", "Content-Type": "application/json"}),
    )
    problem(packed, 415, "compressed")
    problem(caller.post_raw("/flows", b" " * (10 * 1024 * 1024)), 413, "too_large")


@pytest.mark.parametrize(
    "given", [{"bom": 0}, {"bom": "no"}, {"limit": "5"}, {"limit": 5.7}, {"limit": True}]
)
def test_what_only_resembles_a_value_is_refused(caller: Caller, given: dict[str, object]) -> None:
    order = {"what": "contacts"} | given
    told = problem(caller.post("/exports", order, Homeline_Reason="yearly-report"), 422)
    assert [one["place"] for one in told["errors"]] == list(given)


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/flows", 401), ("/contacts", 405)]
)
def test_a_body_that_nobody_needs_is_read_to_its_end(api: Api, path: str, status: int) -> None:
    """A server closes the connection under the caller's next request where some is left."""
    body = io.BytesIO(b"x" * 100_000)
    sent = api.app.test_client().post(
        f"/api/v1{path}", input_stream=body, content_length=100_000, content_type="application/json"
    )
    problem(sent, status)
    assert body.tell() == 100_000


def test_what_is_not_there_is_a_problem_without_a_key_too(api: Api) -> None:
    client = api.app.test_client()
    problem(client.get("/api/v1/nothing"), 404, "not_found")
    problem(client.get("/api/v2/contacts"), 404, "not_found")
    refused = client.put("/api/v1/organisation")
    problem(refused, 405, "method_not_allowed")
    assert "GET" in refused.headers["Allow"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=many",
        "cursor=made-up",
        "cursor=",
        "colour=red",
        "status=odd",
        "updated_after=yesterday",
        "updated_after=2026-03-02T09:00:00",
        "updated_after=0001-01-01T00:00:00%2B14:00",
        "updated_after=0001-06-01T00:00:00Z",
        "updated_after=9999-06-01T00:00:00Z",
        "flow=%00",
        "flow=A",
        "language=%ED%A0%80",
        "contact_id=1",
    ],
)
def test_a_query_that_does_not_fit_names_the_field(caller: Caller, query: str) -> None:
    told = problem(caller.get(f"/registrations?{query}"), 422)
    assert told["errors"][0]["place"] == query.partition("=")[0]


def test_a_cursor_serves_one_list_of_one_organisation(caller: Caller, making: Making) -> None:
    with making() as make:
        for _ in range(2):
            make.contact()
    cursor = caller.get("/contacts?limit=1").get_json()["next_cursor"]
    assert caller.get(f"/contacts?cursor={cursor}").status_code == 200
    problem(caller.get(f"/messages?cursor={cursor}"), 422)
    problem(caller.get(f"/contacts?cursor={cursor[:-1]}"), 422)


NAUGHTY = [
    "",
    " ",
    "\t\r\n",
    "\0",
    "undefined",
    "null",
    "-1",
    "1e400",
    "9" * 5000,
    "' OR 1=1 --",
    "'; DROP TABLE contacts; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "%s%n",
    "../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "\u202eabc\u202c",
    "\ufeffabc",
    "\u200b",
    "Z\u0351\u036b\u0343",
    "\u0661\u0662",
    "1\ufe0f\u20e3",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\uff33\uff34\uff2f\uff30",
    "\u0130\u0131",
    "a" * 100_000,
    "\x7f\x80\x9f",
    "\ufdd0\uffff",
]


FIELDS = [
    ("/registrations", "flow"),
    ("/registrations", "updated_after"),
    ("/contacts", "country"),
    ("/contacts", "limit"),
    ("/consents", "purpose"),
    ("/messages", "contact_id"),
    ("/audit", "action"),
    ("/flows", "cursor"),
]


def test_naughty_strings_never_break_anything(api: Api) -> None:
    caller = api.caller("*")
    for naughty in NAUGHTY:
        for path, field in FIELDS:
            answer = caller.client.get(
                f"/api/v1{path}", query_string={field: naughty}, headers=caller.headers({})
            )
            assert answer.status_code in {200, 422}, (path, field, naughty)
        for field in ("flow", "kind", "purpose", "languages", "entry", "questions", "follow_ups"):
            answer = caller.post("/flows", POLL | {field: naughty})
            usual = {201, 400, 422} if field == "flow" else {400, 422}
            assert answer.status_code in usual, (field, naughty)
        order = {"kind": "sms", "name": naughty, "sender": naughty, "credentials": {}}
        answer = caller.post("/channels", order)
        assert answer.status_code in {400, 422}, naughty


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


SHIPPED = dict(read(library()["registration-express"]))


def _paths(value: object, before: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where something stands in a JSON value."""
    inner = dict(enumerate(value)) if isinstance(value, list) else value
    for key, one in inner.items() if isinstance(inner, dict) else ():
        yield (*before, key)
        yield from _paths(one, (*before, key))


def _with(flow: dict[str, object], path: tuple[object, ...], value: object) -> object:
    """A flow with something else at one place."""
    changed: Any = json.loads(json.dumps(flow))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chosen=st.data(), value=JSON, flow=st.sampled_from([POLL, SHIPPED]))
def test_no_change_of_a_flow_breaks_publishing(
    api: Api, caller: Caller, chosen: st.DataObject, value: object, flow: dict[str, object]
) -> None:
    path = chosen.draw(st.sampled_from(list(_paths(flow))))
    answer = caller.post_raw("/flows", json.dumps(_with(flow, path, value)).encode())
    assert answer.status_code in {201, 400, 422}
    if answer.status_code == 201:
        assert read_catalogue(api.engine, api.organisation.id).newest


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=60))
def test_no_bytes_break_anything(caller: Caller, body: bytes) -> None:
    for path in ("/flows", "/channels"):
        assert caller.post_raw(path, body).status_code in {400, 422}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(), 404),
        (Conflict(), 409),
        (NotAllowed(), 403),
        (Invalid(place="name"), 422),
        (Unavailable(), 503),
        (Problem(429), 429),
        (Gone(CANARY), 410),
        (RuntimeError(CANARY), 500),
        (OperationalError(CANARY, {"name": CANARY}, Exception(CANARY)), 503),
    ],
)
def test_whatever_goes_wrong_is_a_problem_without_anything_personal(
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO,
    error: Exception,
    status: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    # No ordinary request makes these happen; the service is the seam every operation goes through.
    monkeypatch.setattr(profiles, "list_people", fail)
    answer = caller.get("/contacts")
    problem(answer, status)
    assert CANARY not in answer.text + stream.getvalue()
    if status == 503:
        assert answer.headers["Retry-After"]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged meanwhile."""
    before = logs._output.stream, logs._output.strict
    logs._output.stream, logs._output.strict = io.StringIO(), True
    yield logs._output.stream
    logs._output.stream, logs._output.strict = before


def test_a_marked_person_is_in_no_problem_and_no_log(
    caller: Caller, making: Making, stream: io.StringIO
) -> None:
    with making() as make:
        contact = make.contact(address=f"sms:{NUMBER}", place=CANARY)
        session = make.flow_session(contact, make.flow_version(kind="registration"))
        make.answer(session, "name", typed=CANARY)
        make.message(contact, typed=CANARY)
        contact_id = str(contact.id)
    assert CANARY in caller.get("/registrations").get_json()["data"][0]["answers"]["name"]
    assert caller.get("/messages").get_json()["data"][0]["text"] == CANARY
    assert NUMBER in caller.get(f"/contacts/{contact_id}", Homeline_Reason="test").text
    refused = [
        caller.get(f"/contacts/{contact_id}", Homeline_Reason=CANARY),
        caller.get(f"/contacts?country={CANARY}"),
        caller.get(f"/contacts?{CANARY}=1"),
        caller.get(f"/contacts/{CANARY}"),
        caller.get(f"/contacts?cursor={CANARY}"),
        caller.post("/flows", POLL | {CANARY: 1}),
        caller.post("/flows", POLL | {"kind": CANARY}),
        caller.post("/channels", {"kind": "sms", "name": CANARY, CANARY: NUMBER}),
        caller.post("/flows", POLL, Idempotency_Key=f"{CANARY} {NUMBER}"),
        caller.delete(f"/contacts/{contact_id}", Homeline_Reason=NUMBER),
    ]
    assert all(400 <= one.status_code < 500 for one in refused)
    told = "".join(one.text for one in refused) + stream.getvalue()
    assert "request.answered" in told
    assert CANARY not in told
    assert NUMBER not in told
