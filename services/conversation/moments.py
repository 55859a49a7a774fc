"""When people are written to unasked: once after silence, before the end, never at night."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services import retention

REMIND_AFTER = {"sms": timedelta(hours=24)}
REMIND_AFTER_ON_CHAT = timedelta(hours=20)
QUIET_FROM, QUIET_UNTIL = time(20), time(8)
BEFORE_THE_END = timedelta(days=30)


def remind_at(channel_kind: str, spoke_at: datetime) -> datetime:
    """When somebody who fell silent is reminded once: 20 h later on chat, 24 h on SMS."""
    return spoke_at + REMIND_AFTER.get(channel_kind, REMIND_AFTER_ON_CHAT)


def renew_at(spoke_at: datetime) -> datetime:
    """When somebody silent ever since is asked whether we keep their data: 30 days before."""
    return retention.expires_at("contacts", spoke_at) - BEFORE_THE_END


def out_of_quiet_hours(moment: datetime, time_zone: str | None) -> datetime:
    """The moment, or 08:00 of the member's day when it falls between 20:00 and 08:00 there."""
    try:
        zone = ZoneInfo(time_zone) if time_zone else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = moment.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return moment
    day = local.date() + timedelta(days=1 if local.time() >= QUIET_FROM else 0)
    return datetime.combine(day, QUIET_UNTIL, zone).astimezone(moment.tzinfo)
