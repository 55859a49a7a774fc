"""Having templates approved: creating and submitting what is missing, asking where the rest stands.

Each template's outcome is written down before the next one is tried, so that a fault half-way costs
nothing, and doing it again goes on where it ended.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from bot.channels.base import ChannelView
from bot.channels.transport import open_client
from bot.channels.twilio_templates import Approval, TemplateDesk
from flows.templates import Template
from flows.templates import templates as every_template
from models.db import transaction
from models.template import TemplateStatus
from services.messages import templates

Now = Callable[[], datetime]


async def submit(
    engine: Engine, view: ChannelView, api_url: str, *, languages: tuple[str, ...], now: Now
) -> int:
    """Create and submit every template not yet submitted in today's wording; return how many.

    Raises ChannelError at the first one the provider does not take.
    """
    done = 0
    async with open_client() as http:
        desk = TemplateDesk(http, view, api_url)
        for template in every_template().values():
            if template.language in languages:
                done += await _submit(engine, view, desk, template, now)
    return done


async def _submit(
    engine: Engine, view: ChannelView, desk: TemplateDesk, template: Template, now: Now
) -> bool:
    with transaction(engine, view.organisation_id) as db:
        row = templates.find(db, view.id, template)
        sid, status = (row.sid, row.status) if row else (None, TemplateStatus.DRAFT)
    if status is not TemplateStatus.DRAFT:
        return False
    if sid is None:
        sid = await desk.create(template)
        _keep(engine, view, template, sid, Approval("draft", None), now())
    _keep(engine, view, template, sid, await desk.submit(sid, template), now())
    return True


async def refresh(engine: Engine, view: ChannelView, api_url: str, *, now: Now) -> int:
    """Ask where every submitted template stands; return how many could be asked about."""
    with transaction(engine, view.organisation_id) as db:
        rows = {(row.name, row.language): row for row in templates.list_current(db, view.id)}
    asked = 0
    async with open_client() as http:
        desk = TemplateDesk(http, view, api_url)
        for place, row in rows.items():
            if row.status is not TemplateStatus.DRAFT:
                approval = await desk.fetch(row.sid)
                _keep(engine, view, every_template()[place], row.sid, approval, now())
                asked += 1
    return asked


def _keep(
    engine: Engine,
    view: ChannelView,
    template: Template,
    sid: str,
    approval: Approval,
    now: datetime,
) -> None:
    status = TemplateStatus(approval.status)
    with transaction(engine, view.organisation_id) as db:
        templates.keep(db, view.id, template, sid, status, reason=approval.reason, now=now)
