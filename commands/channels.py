"""`flask channel` and `flask telegram`: the ways messages travel."""

import asyncio
import secrets
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from bot.channels import telegram_face, telegram_setup, twilio_setup
from bot.channels.base import ChannelError, ChannelView
from commands.demo_phones import settings_for
from commands.terminal import (
    as_json,
    for_organisation,
    homeline,
    inside,
    refuse,
    report,
    sentences,
)
from flows.wording import LANGUAGES
from models.channel import ChannelKind, StopReply
from models.db import transaction
from services import channels, organisations
from services.channels import NewChannel
from settings import Settings

channel = AppGroup("channel", help="The ways messages travel; credentials are kept sealed.")
add = AppGroup("add", help="Add a channel and print the address for its webhook.")
telegram = AppGroup("telegram", help="A bot's webhook, commands and polling.")
channel.add_command(add)


def _create(organisation: str, new: NewChannel, provider: str, *, json: bool) -> None:
    with inside(organisation) as db:
        keys = organisations.open_keys(db, homeline().keyring)
        made = channels.add(db, keys, new, now=homeline().clock.now())
    url = f"{homeline().settings.public_url}/webhooks/{provider}/{made.key}"
    result = {"id": made.id, "key": made.key, "url": url, "kind": new.kind.value}
    if new.kind is ChannelKind.TELEGRAM:
        result["secret"] = new.credentials["secret"]
    if provider == "twilio":
        result["status_url"] = f"{url}/status"
    report(result, f"Channel {made.key}\nWebhook: {url}", json=json)


@add.command("telegram")
@for_organisation
@click.option("--token", required=True, help="From BotFather.")
@click.option("--secret", help="What Telegram sends with each update; made up if not given.")
@click.option("--name", default="Telegram", show_default=True)
@click.option("--username", default="", help="The bot's name, without @.")
@click.option("--language", help="Default language of this channel.")
@click.option("--rate", type=float, help="Messages a second.")
@as_json
def add_telegram(
    *,
    organisation: str,
    token: str,
    secret: str | None,
    name: str,
    username: str,
    language: str | None,
    rate: float | None,
    json: bool,
) -> None:
    """Add a Telegram bot."""
    new = NewChannel(
        kind=ChannelKind.TELEGRAM,
        name=name,
        credentials={"token": token, "secret": secret or secrets.token_urlsafe(32)},
        sender=username.lstrip("@"),
        default_language=language,
        rate=rate,
    )
    _create(organisation, new, "telegram", json=json)


def _twilio(kind: ChannelKind, what: str) -> None:
    @add.command(f"twilio-{kind.value}", help=f"Add {what} through Twilio.")
    @for_organisation
    @click.option("--account-sid", required=True, metavar="AC…")
    @click.option("--auth-token", required=True)
    @click.option("--from", "sender", required=True, metavar="NUMBER|MG…")
    @click.option("--shared-key", metavar="ID:SECRET", help="Where webhooks are signed with one.")
    @click.option(
        "--stop-reply",
        type=click.Choice([choice.value for choice in StopReply]),
        default=StopReply.PROVIDER.value if kind is ChannelKind.SMS else StopReply.OURS.value,
        show_default=True,
        help="Who confirms STOP.",
    )
    @click.option("--name", default=what, show_default=True)
    @click.option("--language", help="Default language of this channel.")
    @click.option("--rate", type=float, help="Messages a second.")
    @as_json
    def command(*, organisation: str, json: bool, **given: Any) -> None:
        credentials = {
            name: given[name]
            for name in ("account_sid", "auth_token", "shared_key")
            if given[name] is not None
        }
        new = NewChannel(
            kind=kind,
            name=given["name"],
            credentials=credentials,
            sender=given["sender"],
            stop_reply=StopReply(given["stop_reply"]),
            default_language=given["language"],
            rate=given["rate"],
        )
        _create(organisation, new, "twilio", json=json)


_twilio(ChannelKind.SMS, "SMS")
_twilio(ChannelKind.WHATSAPP, "WhatsApp")


@channel.command("check")
@click.argument("key")
@as_json
def check(key: str, json: bool) -> None:
    """Ask the provider whether the credentials work and where webhooks go."""
    view = _view(key)
    with sentences():
        result = asyncio.run(_check(view, settings_for(homeline(), view)))
    result = {"key": view.key, "kind": view.kind, "ok": True} | result
    report(result, "\n".join(f"{name}: {value}" for name, value in result.items()), json=json)


async def _check(view: ChannelView, settings: Settings) -> dict[str, object]:
    if view.kind == "telegram":
        try:
            bot, webhook = await telegram_setup.check(view, settings.telegram_api_url)
        except ChannelError as error:
            raise refuse(f"Telegram refuses: {error}") from None
        expected = f"{settings.public_url}/webhooks/telegram/{view.key}"
        return {
            "bot": bot.username,
            "webhook": webhook.url,
            "webhook_is_ours": webhook.url == expected,
            "waiting": webhook.pending,
            "last_error": webhook.last_error,
        }
    if view.kind in {"sms", "whatsapp"}:
        return await _check_twilio(view, settings.twilio_api_url, settings.public_url)
    return {}


async def _check_twilio(view: ChannelView, api_url: str, public_url: str) -> dict[str, object]:
    """What Twilio says, beside what must be set there; `webhook_is_ours` is null if it says not."""
    try:
        account = await twilio_setup.check(view, api_url)
        webhook = await twilio_setup.find_webhook(view, api_url)
    except ChannelError as error:
        raise refuse(str(error)) from None
    expected = twilio_setup.webhook_url(view, public_url)
    plain = expected.partition("#")[0]
    return {
        "account": account.status,
        "sender": view.sender,
        "webhook": webhook,
        "webhook_is_ours": None if webhook is None else webhook.partition("#")[0] == plain,
        "webhook_to_set": expected,
        "status_url": f"{plain}/status",
    }


@telegram.command("setup")
@click.argument("key")
@as_json
def setup(key: str, json: bool) -> None:
    """Point the bot's webhook at us, and give it its commands and its description.

    Waiting messages are kept.
    """
    view = _view(key)
    settings = settings_for(homeline(), view)
    face = telegram_face.face(_short_name(view), LANGUAGES)
    try:
        bot = asyncio.run(
            telegram_setup.set_up(
                view, settings.telegram_api_url, face, public_url=settings.public_url
            )
        )
    except ChannelError as error:
        raise refuse(f"Telegram refuses: {error}") from None
    url = f"{settings.public_url}/webhooks/telegram/{view.key}"
    report(
        {"key": view.key, "url": url, "bot": bot.username},
        f"@{bot.username} now calls {url}",
        json=json,
    )


@telegram.command("poll")
@click.argument("key")
def poll(key: str) -> None:
    """Fetch messages instead of waiting for a webhook: for development without a public address."""
    view = _view(key)
    settings = settings_for(homeline(), view)
    client = current_app.test_client()
    headers = {"X-Telegram-Bot-Api-Secret-Token": view.credentials["secret"]}

    def take(body: bytes) -> bytes:
        answer = client.post(
            f"/webhooks/telegram/{view.key}",
            data=body,
            headers=headers,
            content_type="application/json",
        )
        if answer.status_code != 200:
            raise refuse(f"The message was not taken ({answer.status_code}); it stays at Telegram.")
        return bytes(answer.data)

    click.echo("Fetching. Ctrl-C ends it.")
    try:
        asyncio.run(telegram_setup.poll(view, settings.telegram_api_url, take))
    except ChannelError as error:
        raise refuse(f"Telegram refuses: {error}") from None
    except KeyboardInterrupt:
        click.echo("Ended; what waits stays at Telegram.")


def _short_name(view: ChannelView) -> str:
    with transaction(homeline().engine, view.organisation_id) as db:
        return organisations.get(db).short_name


def _view(key: str) -> ChannelView:
    with sentences():
        view = homeline().directory.by_key(key)
    if view is None:
        raise refuse("There is no active channel with this key.")
    return view


COMMANDS = (channel, telegram)
