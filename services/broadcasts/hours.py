"""When each member may be written to: in the hours of their own day, across the changes of clocks.

A member's zone comes from their place, else from their country's biggest town, never from a number
(design decision 14: Irish mobile numbers would lead to London).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flows.gazetteer import bundled
from services.conversation.moments import QUIET_FROM, QUIET_UNTIL

Place = tuple[str | None, str | None]
"""A time zone and a country, as far as they are known."""


def send_times(
    places: Iterable[Place], start: datetime, send_hour: int | None
) -> Mapping[Place, datetime]:
    """Return the first permitted moment at or after `start` for people of each place."""
    return {place: send_time(place, start, send_hour) for place in places}


def send_time(place: Place, start: datetime, send_hour: int | None = None) -> datetime:
    """Return the first permitted moment at or after `start`.

    From `send_hour` (8 if None) to 20:00 of the member's own day.
    """
    zone = zone_of(place)
    local = start.astimezone(zone)
    opens = QUIET_UNTIL if send_hour is None else time(send_hour)
    if opens <= local.time() < QUIET_FROM:
        return start
    day = local.date() + timedelta(days=1 if local.time() >= QUIET_FROM else 0)
    return datetime.combine(day, opens, zone).astimezone(start.tzinfo)


def day_of(place: Place, send_hour: int | None = None) -> dict[str, Any]:
    """Return what a message keeps of its person's day, for `next_permitted`."""
    zone = {"zone": zone_of(place).key}
    return zone if send_hour is None else zone | {"from": send_hour}


def next_permitted(content: Mapping[str, Any], now: datetime) -> datetime:
    """Return when a message may leave: now, or in the morning of its person.

    It was queued by day, but may have been held since, or stood in a long line.
    """
    day = content.get("day")
    return send_time((day["zone"], None), now, day.get("from")) if day else now


@cache
def zone_of(place: Place) -> ZoneInfo:
    """Return the time zone of people of a place; UTC where nothing is known."""
    zone, country = place
    for name in (zone, bundled().zone_of(country) if country else None):
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")
