"""An officer who has nothing but a key of the API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from models.db import transaction
from services import api_keys
from tests.chaos.house import House

PATIENCE = 60.0
REASON = "ask-everywhere"


@dataclass(frozen=True)
class Officer:
    """Asks one web process, as any program would."""

    base: str
    secret: str

    def get(self, path: str) -> Any:
        """What a GET tells."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any = None) -> Any:
        """What a POST tells."""
        return self._ask("POST", path, {} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        """What a PUT tells."""
        return self._ask("PUT", path, body)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Every row of a list."""
        mark = "&" if "?" in path else "?"
        cursor = ""
        while True:
            page = self.get(f"{path}{mark}limit=200{cursor}")
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def public(self, path: str) -> str:
        """What anybody reads, without a key."""
        with urlopen(f"{self.base}{path}", timeout=PATIENCE) as answer:
            told: str = answer.read().decode()
            return told

    def advance(self, minutes: int) -> datetime:
        """Move everybody's clock ahead; the new present."""
        asked = Request(
            f"{self.base}/sim/clock",
            data=json.dumps({"advance": f"{minutes} minutes"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(asked, timeout=PATIENCE) as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def _ask(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}", "Homeline-Reason": REASON}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        asked = Request(f"{self.base}/api/v1{path}", data=data, headers=headers, method=method)
        try:
            with urlopen(asked, timeout=PATIENCE) as answer:
                return json.load(answer)
        except HTTPError as refused:
            told = refused.read().decode()
            raise AssertionError(f"{method} {path}: {refused.code} {told}") from None


def hired(house: House) -> Officer:
    """An officer of the house with a key that may do everything."""
    line = house.homeline
    organisation_id = house.ask("select id from organisations")[0][0]
    with transaction(line.engine, organisation_id) as db:
        made = api_keys.create(
            db, "officer", scopes=["*"], lasts=timedelta(days=300), now=line.clock.now()
        )
    return Officer(f"http://127.0.0.1:{house.webs[0].port}", made.secret)
