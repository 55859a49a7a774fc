"""Audiences: saved conditions over people, and how many there are."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.fields import INTEGER, Instant, Strict, described, one_of, text
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.scopes import AUDIENCES_COUNT
from api.work import Work, catalogue_of
from flows.conditions import Condition
from insights.disclosure import Reason
from services import organisations
from services.audiences import audience_checks, audience_words, audiences
from services.audiences.audiences import LONGEST_NAME, Saved
from services.catalogue import Catalogue

resource = Resource("audiences", "Saved conditions over people; each change is a new version.")
_TOLD = "How many people it has who have not stopped; null for keys without audiences:count."


def _condition() -> fields.Field:  # type: ignore[type-arg]
    told = "A condition over people (docs/flows.md), such as {country: ZA}."
    return described(fields.Dict(required=True), told)


class LanguageQuery(Strict):
    """In which language an audience is said."""

    language = text(
        35, "BCP 47; by default the organisation's. What we do not speak is English.",
        load_default=None,
    )  # fmt: skip


class AudiencesQuery(PageQuery):
    """Which audiences, said in which language."""

    language = LanguageQuery().fields["language"]


class AudienceOrder(Strict):
    """A condition and the name it is saved under."""

    name = text(LONGEST_NAME, "What officers call it; given once.", required=True)
    condition = _condition()


class AudienceChange(Strict):
    """What an audience is from now on."""

    condition = _condition()


class Counted(Strict):
    """A number of people."""

    people = fields.Integer(required=True, allow_none=True, metadata={"description": _TOLD})
    reason = one_of([Reason.ROLE.value], "Why it is null.", required=True, allow_none=True)


class CountRow(Counted):
    """How many people a condition means."""

    sentence = described(fields.String(required=True), "The condition in words.")


class AudienceRow(Strict):
    """A saved audience at one version."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    version = fields.Integer(required=True)
    condition = fields.Dict(required=True)
    sentence = described(fields.String(required=True), "The condition in words.")
    created_at = described(Instant(required=True), "When this version was made.")
    archived_at = Instant(required=True, allow_none=True)


class AudienceDetail(AudienceRow, Counted):
    """A saved audience and how many people it has now."""

    newest_version = fields.Integer(required=True)


class VersionQuery(LanguageQuery):
    """Which version, said in which language."""

    version = fields.Integer(
        load_default=None,
        validate=validate.Range(1, INTEGER),
        metadata={"description": "By default the newest."},
    )


AudiencePage = page_of(AudienceRow)


@resource.operation("GET", "/audiences", query=AudiencesQuery, gives=AudiencePage)
def list_audiences(work: Work, query: dict[str, Any]) -> Page:
    """List audiences that are not archived, in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = audiences.list_saved(work.db, after=UUID(after) if after else None, most=limit + 1)
    page = work.cursors.page(rows, limit, lambda row: row.audience.id)
    catalogue = catalogue_of(work)
    told = [_row(work, one, catalogue, query["language"]) for one in rows[:limit]]
    return Page(told, page.next_cursor)


@resource.operation("POST", "/audiences", body=AudienceOrder, gives=AudienceDetail, status=201)
def create_audience(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Save a condition; faults come back with their places in it."""
    catalogue = catalogue_of(work)
    saved = audiences.create(
        work.db, body["name"], body["condition"], catalogue, actor=work.actor, now=work.now
    )
    told = _detail(work, saved, catalogue, None)
    return told, 201, {"Location": f"{PREFIX}/audiences/{saved.audience.id}"}


@resource.operation("POST", "/audiences/preview", body=AudienceChange, query=LanguageQuery,
                    gives=CountRow)  # fmt: skip
def preview_audience(work: Work, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Count a condition that is not saved, and say it in words."""
    catalogue = catalogue_of(work)
    condition = audience_checks.read(body["condition"], catalogue)
    return _counted(work, condition) | {
        "sentence": _said(work, condition, catalogue, query["language"])
    }


@resource.operation(
    "GET", "/audiences/<uuid:audience_id>", query=VersionQuery, gives=AudienceDetail
)
def get_audience(work: Work, query: dict[str, Any], audience_id: UUID) -> dict[str, Any]:
    """Read an audience, at any of its versions, and count it as people are now."""
    saved = audiences.get(work.db, audience_id, query["version"])
    return _detail(work, saved, catalogue_of(work), query["language"])


@resource.operation(
    "PATCH", "/audiences/<uuid:audience_id>", body=AudienceChange, gives=AudienceDetail
)
def change_audience(work: Work, body: dict[str, Any], audience_id: UUID) -> dict[str, Any]:
    """Save a changed condition as the next version; what was pushed before keeps its own."""
    catalogue = catalogue_of(work)
    saved = audiences.change(
        work.db, audience_id, body["condition"], catalogue, actor=work.actor, now=work.now
    )
    return _detail(work, saved, catalogue, None)


@resource.operation("DELETE", "/audiences/<uuid:audience_id>", status=204)
def archive_audience(work: Work, audience_id: UUID) -> None:
    """Take an audience off the list; its versions stay readable."""
    audiences.archive(work.db, audience_id, actor=work.actor, now=work.now)


def _row(work: Work, saved: Saved, catalogue: Catalogue, language: str | None) -> dict[str, Any]:
    condition = audiences.condition_of(saved.version)
    return {
        "id": saved.audience.id,
        "name": saved.audience.name,
        "version": saved.version.version,
        "condition": saved.version.condition,
        "sentence": _said(work, condition, catalogue, language),
        "created_at": saved.version.created_at,
        "archived_at": saved.audience.archived_at,
    }


def _detail(work: Work, saved: Saved, catalogue: Catalogue, language: str | None) -> dict[str, Any]:
    condition = audiences.condition_of(saved.version)
    return (
        _row(work, saved, catalogue, language)
        | _counted(work, condition, saved.audience.id)
        | {"newest_version": saved.audience.version}
    )


def _counted(work: Work, condition: Condition, of: UUID | None = None) -> dict[str, Any]:
    may_count = work.holder.may(AUDIENCES_COUNT)
    found = audiences.size(
        work.db, condition, of=of, may_count=may_count, actor=work.actor, now=work.now
    )
    return {"people": found.value, "reason": found.reason}


def _said(work: Work, condition: Condition, catalogue: Catalogue, language: str | None) -> str:
    spoken = language or organisations.get(work.db).default_language
    return audience_words.say(condition, catalogue, spoken)
