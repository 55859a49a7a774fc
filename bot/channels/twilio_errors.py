"""What Twilio's codes make us do: one table, for answers to a send and for status callbacks.

Source: reference 3.7 (Twilio's error pages, 2026); texts are ours and fit for an officer's eyes.
"""

from collections.abc import Callable

from bot.channels.base import SendError

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR

_Make = Callable[[str], SendError]


def _dead(sentence: str) -> _Make:
    return lambda code: SendError(code, sentence, dead=True)


def _wait(sentence: str, seconds: float) -> _Make:
    """Queue and rate: a delay, no attempt."""
    return lambda code: SendError(
        code, sentence, throttled=True, retryable=True, retry_after=seconds
    )


def _again(sentence: str, seconds: float) -> _Make:
    return lambda code: SendError(code, sentence, retryable=True, retry_after=seconds)


def _maybe(sentence: str) -> _Make:
    return lambda code: SendError(code, sentence, unknown=True, retryable=True)


def _stop(sentence: str) -> _Make:
    return lambda code: SendError(code, sentence, stops_channel=True)


def _alert(sentence: str) -> _Make:
    return lambda code: SendError(code, sentence, alert=True)


def _final(sentence: str) -> _Make:
    return lambda code: SendError(code, sentence)


def _rows(make: _Make, *codes: int) -> dict[int, _Make]:
    return dict.fromkeys(codes, make)


_ACTIONS: dict[int, _Make] = {
    **_rows(_dead("This is not a valid number."), 21211, 21217, 21421),
    **_rows(_dead("This number cannot receive SMS."), 21614, 21635, 30006),
    **_rows(_dead("This number is not on WhatsApp."), 63003, 63024),
    **_rows(_alert("This sender cannot reach the number."), 21214, 21612),
    **_rows(_alert("Twilio is not allowed to send to this country."), 21408),
    **_rows(_alert("A trial account reaches verified numbers only."), 21608, 63015),
    **_rows(
        _stop("The sender is not usable with this account."),
        21212, 21606, 21607, 21659, 21660, 21703, 21704, 63001, 63002, 63007, 63020,
    ),
    **_rows(_stop("The sender is not registered for the United States."), 30032, 30034, 30035),
    **_rows(_stop("Twilio refuses the account's credentials."), 20003, 20005, 30002),
    **_rows(lambda code: SendError(code, "The person opted out.", opted_out=True), 21610),
    **_rows(lambda code: SendError(code, "The person has blocked us.", blocked=True), 63014),
    **_rows(_wait("The sender's queue is full.", 5 * MINUTE), 21611, 30001),
    **_rows(_wait("Twilio asks us to slow down.", 1.0), 20429, 14107, 63017, 63018),
    **_rows(_wait("The account's limit of the day is reached.", DAY), 63038),
    **_rows(
        _alert("Twilio refuses what we made; a fault of ours."),
        20404, 21602, 21617, 21654, 21655, 21656, 63027, 63028, 63030, 63019, 11751,
    ),
    **_rows(
        _again("The phone cannot be reached now.", 15 * MINUTE), 30003, 30005, 30008, 30017, 30410
    ),
    **_rows(_maybe("Twilio has a fault of its own."), 20500, 20503),
    **_rows(_alert("A carrier filtered the message."), 30004, 30007, 30018, 30024, 30450),
    **_rows(_final("The message was not delivered in its time."), 30036),
    **_rows(_alert("WhatsApp objects to what we send."), 63013, 63021, 63026, 63041),
    **_rows(_final("WhatsApp's 24 hours are over; only a template may be sent."), 63016),
    **_rows(_final("WhatsApp does not deliver to this person."), 63032, 63033),
    **_rows(
        _final("WhatsApp withheld the message; not again within 24 hours."),
        63049, 63050, 63051, 63052, 63053, 63054, 63055,
    ),
}  # fmt: skip


def error_for(code: int | None, status: int = 0) -> SendError:
    """What a Twilio code means; codes off the table are judged by the HTTP status.

    `status` 0 stands for a status callback: the message did leave, so an unknown code is final.
    """
    make = _ACTIONS.get(code) if code is not None else None
    if make is not None:
        return make(str(code))
    name = str(code) if code is not None else f"http_{status}"
    if status == 429:
        return _wait("Twilio asks us to slow down.", 1.0)(name)
    if status == 401:
        return _stop("Twilio refuses the account's credentials.")(name)
    if status >= 500 or 0 < status < 400:
        return _maybe("The answer is not Twilio's.")(name)
    if status >= 400:
        return _alert("Twilio refused the message.")(name)
    return _final("The message was not delivered.")(name)
