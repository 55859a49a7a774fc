"""A Twilio account is checked before anybody relies on it."""

import asyncio
from dataclasses import replace

import pytest

from bot.channels.base import ChannelError
from bot.channels.twilio_setup import AccountState, check, find_webhook, webhook_url
from tests.channels.views import ACCOUNT, AUTH_TOKEN, view
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_retries import overrides


def test_an_account_that_lets_us_in_is_named() -> None:
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as fake:
        assert asyncio.run(check(view("sms"), fake.url)) == AccountState("Fake", "active")
        with pytest.raises(ChannelError, match="credentials"):
            asyncio.run(check(view("sms", auth_token="wrong"), fake.url))
        fake.script.add("html_502")
        with pytest.raises(ChannelError, match="as it should"):
            asyncio.run(check(view("sms"), fake.url))
    with pytest.raises(ChannelError, match="reached"):
        asyncio.run(check(view("sms"), fake.url))


def test_the_webhook_asks_twilio_to_try_again() -> None:
    url = webhook_url(view("sms"), "https://bot.example.org/")
    assert url.startswith("https://bot.example.org/webhooks/twilio/k1#")
    assert overrides(url) == (5, frozenset({"ct", "rt", "5xx"}))


def test_a_number_tells_where_its_messages_go() -> None:
    sms = replace(view("sms"), sender="+447700900900")
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as fake:
        with pytest.raises(ChannelError, match="no number"):
            asyncio.run(find_webhook(sms, fake.url))
        fake.sender(sms.sender, "https://elsewhere.example/in")
        assert asyncio.run(find_webhook(sms, fake.url)) == "https://elsewhere.example/in"
        assert asyncio.run(find_webhook(view("whatsapp"), fake.url)) is None
        fake.script.add("html_502")
        with pytest.raises(ChannelError, match="as it should"):
            asyncio.run(find_webhook(sms, fake.url))
