"""Where templates stand at WhatsApp, by channel; only an approved one may be sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.templates import Template, templates
from models.template import TemplateStatus, WhatsAppTemplate
from models.walls import organisation_of

PENDING_EVERY = timedelta(minutes=10)
SETTLED_EVERY = timedelta(hours=24)


def find_approved(db: Session, channel_id: UUID, template: Template) -> str | None:
    """The content id under which a template may be sent now, or None."""
    return db.scalar(
        select(WhatsAppTemplate.sid).where(
            *_key(db, channel_id, template), WhatsAppTemplate.status == TemplateStatus.APPROVED
        )
    )


def find(db: Session, channel_id: UUID, template: Template) -> WhatsAppTemplate | None:
    """The row of a template in today's wording, or None when it was never created."""
    return db.scalar(select(WhatsAppTemplate).where(*_key(db, channel_id, template)))


def list_current(db: Session, channel_id: UUID) -> Sequence[WhatsAppTemplate]:
    """The rows of today's wordings on a channel."""
    return db.scalars(
        select(WhatsAppTemplate)
        .where(
            WhatsAppTemplate.organisation_id == organisation_of(db),
            WhatsAppTemplate.channel_id == channel_id,
            WhatsAppTemplate.digest.in_(_digests()),
        )
        .order_by(WhatsAppTemplate.name, WhatsAppTemplate.language)
    ).all()


def keep(
    db: Session,
    channel_id: UUID,
    template: Template,
    sid: str,
    status: TemplateStatus,
    *,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Write down where a template stands; the content id first kept for a wording stays."""
    row = insert(WhatsAppTemplate).values(
        organisation_id=organisation_of(db),
        channel_id=channel_id,
        name=template.name,
        language=template.language,
        digest=template.digest,
        sid=sid,
        status=status,
        reason=reason,
        created_at=now,
        checked_at=now,
    )
    db.execute(
        row.on_conflict_do_update(
            index_elements=list(WhatsAppTemplate.__table__.primary_key.columns),  # type: ignore[attr-defined]
            set_={"status": status.value, "reason": reason, "checked_at": now},
        )
    )


def list_channels_to_check(db: Session, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """Organisation and channel of templates to ask about; `db` is in the system scope.

    What waits for approval is asked about every ten minutes. The rest once a day: WhatsApp pauses
    and rejects templates at any time.
    """
    submitted = WhatsAppTemplate.status == TemplateStatus.SUBMITTED
    settled = WhatsAppTemplate.status.in_([TemplateStatus.APPROVED, TemplateStatus.PAUSED])
    rows = db.execute(
        select(WhatsAppTemplate.organisation_id, WhatsAppTemplate.channel_id)
        .where(
            WhatsAppTemplate.digest.in_(_digests()),
            or_(
                submitted & (WhatsAppTemplate.checked_at <= now - PENDING_EVERY),
                settled & (WhatsAppTemplate.checked_at <= now - SETTLED_EVERY),
            ),
        )
        .distinct()
    )
    return [(organisation_id, channel_id) for organisation_id, channel_id in rows]


def _digests() -> list[bytes]:
    """Today's wordings: nobody asks about older ones any more."""
    return [template.digest for template in templates().values()]


def _key(db: Session, channel_id: UUID, template: Template) -> tuple[Any, ...]:
    return (
        WhatsAppTemplate.organisation_id == organisation_of(db),
        WhatsAppTemplate.channel_id == channel_id,
        WhatsAppTemplate.name == template.name,
        WhatsAppTemplate.language == template.language,
        WhatsAppTemplate.digest == template.digest,
    )
