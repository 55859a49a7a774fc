"""A log line carries ids, kinds, counts and codes, and nothing else."""

import io
import json
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Lines go to memory; afterwards everything is as before."""
    before = logs._output.stream, logs._output.strict, logging.getLogger().handlers[:]
    level = logging.getLogger().level
    stream = io.StringIO()
    logs.configure(stream, strict=True)
    yield stream
    logs._output.stream, logs._output.strict, logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line(stream: io.StringIO) -> None:
    logs.event("message.taken", channel_kind="sms", count=2, contact_id=UUID(int=7))
    (line,) = lines(stream)
    assert line["event"] == "message.taken"
    assert line["count"] == 2
    assert line["contact_id"] == str(UUID(int=7))


def test_an_unknown_key_raises_in_tests(stream: io.StringIO) -> None:
    with pytest.raises(logs.UnknownLogKey):
        logs.event("message.taken", text="my name is Amal")
    assert stream.getvalue() == ""


def test_an_unknown_key_is_dropped_and_counted_in_production(stream: io.StringIO) -> None:
    logs.configure(stream)
    counter = "homeline_log_keys_dropped_total"
    before = REGISTRY.get_sample_value(counter) or 0.0
    logs.event("message.taken", text="my name is Amal", count=1)
    (line,) = lines(stream)
    assert line["count"] == 1
    assert "Amal" not in stream.getvalue()
    assert REGISTRY.get_sample_value(counter) == before + 1


def test_no_key_is_allowed_whose_value_could_name_a_person() -> None:
    personal = {"text", "name", "address", "number_called", "body", "answer", "value", "phone"}
    assert not personal & logs.ALLOWED
    assert not {"email", "token", "url", "message", "params", "label"} & logs.ALLOWED


def test_what_a_library_logs_keeps_its_place_and_loses_its_text(stream: io.StringIO) -> None:
    try:
        raise ValueError("row of Amal")
    except ValueError:
        logging.getLogger("a.library").exception("failed for %s", "+447700900123")
    (line,) = lines(stream)
    assert line["logger"] == "a.library"
    assert line["error"] == "ValueError"
    assert "Amal" not in stream.getvalue()
    assert "900123" not in stream.getvalue()
