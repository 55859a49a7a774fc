"""Templates at Twilio: content objects with fixed words, submitted to WhatsApp for approval."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.channels.base import ChannelError, ChannelView, SendError
from bot.channels.transport import SEND_TIMEOUT, post
from bot.channels.twilio_contents import content_host
from bot.channels.twilio_sending import authorization
from flows.templates import Template

STATUSES = {
    "unsubmitted": "draft",
    "received": "submitted",
    "pending": "submitted",
    "approved": "approved",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "paused",
}
"""Twilio's words for an approval request, in ours."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Where a template stands, and WhatsApp's word for a refusal."""

    status: str
    reason: str | None


def definition(template: Template) -> dict[str, object]:
    """The Content API's object: a quick reply whose words are fixed but for the variables."""
    actions = [
        {"type": "QUICK_REPLY", "title": label, "id": template.payload(value)}
        for value, label in template.buttons
    ]
    samples = {
        str(number): sample for number, sample in enumerate(template.variables.values(), start=1)
    }
    return {
        "friendly_name": template.provider_name,
        "language": template.language,
        "variables": samples,
        "types": {"twilio/quick-reply": {"body": template.numbered_body, "actions": actions}},
    }


class TemplateDesk:
    """The three calls about templates of one channel; each raises ChannelError with a sentence."""

    def __init__(self, http: aiohttp.ClientSession, view: ChannelView, api_url: str) -> None:
        self._http = http
        self._url = f"{content_host(api_url)}/v1/Content"
        self._authorization = authorization(view)

    async def create(self, template: Template) -> str:
        """Make the content object; returns its id. Nothing is submitted yet."""
        sid = (await self._post(self._url, definition(template))).get("sid")
        if not isinstance(sid, str) or not sid:
            raise ChannelError("Twilio named no content object.")
        return sid

    async def submit(self, sid: str, template: Template) -> Approval:
        """Ask WhatsApp to approve a content object."""
        asked = {"name": template.provider_name, "category": template.category}
        answer = await self._post(f"{self._approval(sid)}/whatsapp", asked)
        return _approval(answer)

    async def fetch(self, sid: str) -> Approval:
        """Ask where a template stands."""
        headers = {"Authorization": self._authorization}
        try:
            async with self._http.get(
                self._approval(sid), headers=headers, timeout=SEND_TIMEOUT, allow_redirects=False
            ) as response:
                answer = _read(response.status, await response.read())
        except (aiohttp.ClientError, OSError):
            raise ChannelError("Twilio cannot be reached.") from None
        whatsapp = answer.get("whatsapp")
        return _approval(whatsapp if isinstance(whatsapp, dict) else {})

    def _approval(self, sid: str) -> str:
        return f"{self._url}/{quote(sid, safe='')}/ApprovalRequests"

    async def _post(self, url: str, body: object) -> dict[str, Any]:
        try:
            answer = await post(
                self._http,
                url,
                json.dumps(body).encode(),
                "application/json",
                authorization=self._authorization,
            )
        except SendError as error:
            raise ChannelError(error.sentence) from None
        return _read(answer.status, answer.body)


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if status in (401, 403):
        raise ChannelError("Twilio refuses the account's credentials.")
    if status == 404:
        raise ChannelError("Twilio does not know this content object.")
    if not 200 <= status < 300 or not isinstance(fields, dict):
        raise ChannelError(f"Twilio did not take the template (status {status}).")
    return fields


def _approval(fields: dict[str, Any]) -> Approval:
    """An unknown word counts as submitted: it is asked about again."""
    status = STATUSES.get(str(fields.get("status", "")).lower(), "submitted")
    reason = fields.get("rejection_reason")
    return Approval(status, reason[:500] if isinstance(reason, str) and reason else None)
