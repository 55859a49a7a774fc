"""Both fakes as a program: `python -m tests.fakes --telegram-port 8101 --twilio-port 8102`."""

import argparse
import signal
import threading

from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio


def main() -> None:
    """Serve until interrupted; prints one line with the two addresses."""
    parser = argparse.ArgumentParser(description="Fake Telegram and fake Twilio on loopback.")
    parser.add_argument("--telegram-port", type=int, default=0)
    parser.add_argument("--twilio-port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-limits", action="store_true", help="switch the rate model off")
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="t" * 32)
    parser.add_argument("--shared-key", default="")
    parser.add_argument(
        "--sender", action="append", default=[], metavar="ADDRESS=WEBHOOK[=SIGNED_AS]"
    )
    given = parser.parse_args()
    telegram = FakeTelegram(
        limits=not given.no_limits, any_token=True, port=given.telegram_port,
        speed=given.speed, seed=given.seed,
    )  # fmt: skip
    twilio = FakeTwilio(
        account_sid=given.account_sid, auth_token=given.auth_token, shared_key=given.shared_key,
        port=given.twilio_port, speed=given.speed, seed=given.seed,
    )  # fmt: skip
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with telegram, twilio:
        for sender in given.sender:
            address, _, rest = sender.partition("=")
            webhook, _, signed_as = rest.partition("=")
            twilio.sender(address, webhook, signed_as=signed_as)
        print(f"telegram {telegram.url} twilio {twilio.url}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
