"""A result in the shapes others read: as a table, as JSON, and as U-Report's API gives polls."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.filling import filled
from flows.flow import Flow
from insights.disclosure import RULE
from models.ask import Ask

PUBLIC = ("started", "completed", "rates", "questions", "breakdowns", "suppressed", "final")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Result:
    """An ask with what may be told of it, and who asks."""

    ask: Ask
    flow: Flow
    organisation: str
    short: str
    told: Mapping[str, Any]

    def said(self, texts: Mapping[str, str], language: str) -> str:
        """Return a text of the flow as members read it, in a language or the flow's first."""
        spoken = language if texts.get(language) else self.flow.languages[0]
        names = (("office", self.organisation), ("organisation", self.short))
        return filled(texts.get(spoken, ""), spoken, names)


def as_json(result: Result) -> dict[str, Any]:
    """Return what the page shows, for programs."""
    ask, told = result.ask, result.told
    return {
        "code": ask.code,
        "asked_by": result.organisation,
        "status": ask.status.value,
        "published_at": told["published_at"],
        **{name: told[name] for name in PUBLIC},
        "texts": {
            one.id: {language: result.said(one.text, language) for language in one.text}
            for one in result.flow.questions
            if one.waits
        },
        "labels": {
            one["id"]: {
                option["value"]: _labels(result.flow, one["id"], option["value"])
                for option in one["options"]
            }
            for one in told["questions"]
        },
        "report_back": ask.report_back,
        "report_back_on": (ask.later_by or ask.report_back_on).isoformat(),
    }


def _labels(flow: Flow, question: str, value: str) -> dict[str, str]:
    """What an option is called in each language of the ask."""
    return {one: flow.by_id[question].label(value, one) for one in flow.languages}


def as_csv(result: Result, language: str) -> str:
    """Return one line a figure; a figure that is not told is empty, with its reason."""
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(["question", "by", "row", "option", "label", "count", "share", "n", "reason"])
    reasons = {one["figure"]: one["reason"] for one in result.told["suppressed"]}
    for row in _rows(result, language, reasons):
        table.writerow([_inert(cell) for cell in row])
    return text.getvalue()


def _rows(
    result: Result, language: str, reasons: Mapping[str, str]
) -> Iterator[tuple[object, ...]]:
    for told in result.told["questions"]:
        place: tuple[object, ...] = (told["id"], "", "")
        if not told["options"]:
            reason = reasons.get(f"questions.{told['id']}.n", "")
            yield (*place, "", "", "", "", told["n"], reason)
        for one in told["options"]:
            reason = reasons.get(f"questions.{told['id']}.{one['value']}", "")
            yield (*place, *_cells(result, told["id"], one, language), told["of"], reason)
    for table in result.told["breakdowns"]:
        for told in table["questions"]:
            for row in table_rows(told):
                by, values = ".".join(table["by"]), list(row["row"].values())
                for one in row["options"]:
                    name = ("breakdowns", *table["by"], told["id"], *values, one["value"])
                    cells = _cells(result, told["id"], one, language)
                    reason = reasons.get(".".join(name), "")
                    yield (told["id"], by, ".".join(values), *cells, row["n"], reason)


def table_rows(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of a question in a breakdown."""
    return list(told["rows"])


def _cells(
    result: Result, question: str, one: Mapping[str, Any], language: str
) -> tuple[object, ...]:
    label = result.flow.by_id[question].label(one["value"], language)
    return one["value"], label, one["count"], one["share"]


def _inert(cell: object) -> object:
    """What a spreadsheet would run as a formula is text."""
    if isinstance(cell, str) and cell.startswith(_FORMULAS):
        return f"'{cell}"
    return "" if cell is None else cell


def as_ureport(result: Result, language: str) -> dict[str, Any]:
    """Return the poll as U-Report's public API does; what is not told is null.

    Fields: github.com/rapidpro/ureport, ureport/api/serializers.py, PollReadSerializer.
    """
    ask = result.ask
    return {
        "id": ask.code,
        "flow_uuid": str(ask.flow_version_id),
        "title": ask.flow,
        "org": result.organisation,
        "category": None,
        "created_on": ask.created_at.isoformat().replace("+00:00", "Z"),
        "questions": [_question(result, told, language) for told in result.told["questions"]],
    }


def _question(result: Result, told: Mapping[str, Any], language: str) -> dict[str, Any]:
    question = result.flow.by_id[told["id"]]
    answered, completed = told["n"], result.told["completed"]
    unset = completed - answered if completed and answered else None
    if unset is not None and unset < RULE.fewest:
        unset = 0 if unset <= 0 else None
    return {
        "id": told["id"],
        "ruleset_uuid": told["id"],
        "title": result.said(question.text, language),
        "results": {
            "open_ended": not told["options"],
            "set": answered,
            "unset": unset,
            "categories": [
                {"label": question.label(one["value"], language), "count": one["count"]}
                for one in told["options"]
            ],
        },
    }
