"""How often Twilio says a webhook again: once when nobody listens, unless its URL asks for more.

`#rc=3&rp=ct,rt,5xx` at the end of the URL asks; it is neither sent nor signed. All tries of one
webhook together have 15 seconds (reference 3.3).
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

from tests.fakes.clock import FakeClock
from tests.fakes.hooks import Answered

BUDGET = 15.0
PAUSE = 0.1
Try = Callable[[str, float], Awaitable[Answered]]
"""Posts to the URL as it is sent, within so many seconds."""


async def with_retries(
    clock: FakeClock, url: str, post: Try, *, is_lost: Callable[[], bool] = lambda: False
) -> Answered:
    """The answer in the end; `is_lost` says of a good one whether it gets lost on its way."""
    times, causes = overrides(url)
    ends_at = clock.elapsed() + BUDGET
    for attempt in range(times + 1):
        answered = await post(url.partition("#")[0], max(0.1, ends_at - clock.elapsed()))
        if answered.good and not is_lost():
            return answered
        asked = answered.good or _asks_for_retry(answered, causes)
        if attempt == times or not asked or clock.elapsed() + PAUSE > ends_at:
            return answered
        await clock.sleep(PAUSE)
    return answered


def overrides(url: str) -> tuple[int, frozenset[str]]:
    """How often and for what to retry, from the URL's fragment."""
    given = parse_qs(urlsplit(url).fragment)
    causes = frozenset(given.get("rp", ["ct"])[0].split(","))
    return min(5, int(given.get("rc", ["1"])[0])), causes


def _asks_for_retry(answered: Answered, causes: frozenset[str]) -> bool:
    if "all" in causes:
        return True
    if answered.status == 1:
        return "ct" in causes
    if answered.status == 0:
        return "rt" in causes
    return f"{answered.status // 100}xx" in causes
