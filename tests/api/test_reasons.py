"""Who must say why, and that the document says so."""

import re
from typing import Any
from uuid import uuid4

import pytest

from api.resource import PREFIX
from api.scopes import NEED_REASON, SCOPES
from api.work import IDEMPOTENCY_NAME, REASON
from tests import asks
from tests.api.stage import Api

REASONS = ["asked-by-letter", "a12345", "a123456", "a123:456", "ab", "Asked", "a b", "a" * 65]
BODIES: dict[str, Any] = {
    "POST /exports": {"what": "contacts"},
    "POST /polls/{poll_id}/texts/{text_id}": {"decision": "shown"},
}


def test_operations_that_need_a_reason_are_those_listed(api: Api, making: Any) -> None:
    with making() as make:
        there = {"poll_id": str(asks.ask(make).id), "contact_id": str(make.contact().id)}
    caller = api.caller("*")
    refused = set()
    for operation in SCOPES:
        method, _, path = operation.partition(" ")
        path = re.sub(r"{(\w+)}", lambda named: there.get(named[1], str(uuid4())), path)
        answer = caller.client.open(
            f"{PREFIX}{path}",
            method=method,
            json=BODIES.get(operation, {}) if method in {"POST", "PUT", "PATCH"} else None,
            headers=caller.headers({}),
        )
        if answer.status_code == 422 and answer.get_json(force=True)["code"] == "reason_missing":
            refused.add(operation)
    assert refused == NEED_REASON


def test_the_document_says_what_a_reason_and_a_name_look_like(api: Api) -> None:
    document = api.app.test_client().get(f"{PREFIX}/openapi.json").get_json()
    found: dict[str, list[dict[str, Any]]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                called = f"{method.upper()} {path.removeprefix(PREFIX)}"
                found[called] = [
                    one for one in operation.get("parameters", []) if one["in"] == "header"
                ]
    needed = {called for called, all_ in found.items() if any(one.get("required") for one in all_)}
    assert needed == NEED_REASON
    shapes = {one["schema"]["pattern"] for all_ in found.values() for one in all_}
    assert shapes == {f"^{REASON}$", f"^{IDEMPOTENCY_NAME}$"}


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_taken_when_the_document_says_so(api: Api, reason: str) -> None:
    fits = re.search(f"^{REASON}$", reason) is not None
    answer = api.caller("*").get("/contacts", Homeline_Reason=reason)
    assert answer.status_code == (200 if fits else 422)
