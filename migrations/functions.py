"""Functions of the database that stand in one file and are made anew when they change.

A migration that changes them edits the file in which they were first made, and calls ``make_anew``
for it: whatever version an installation comes from, it then has the functions of that file.
"""

import re
from pathlib import Path

from alembic import op

VERSIONS = Path(__file__).with_name("versions")
_CREATED = re.compile(r"^create function (\w+)\(", re.MULTILINE)


def make_anew(name: str) -> None:
    """Create the functions of ``versions/NAME``, dropping those of an older version."""
    drop(name)
    op.get_bind().exec_driver_sql(_text(name))


def drop(name: str) -> None:
    """Drop those functions of ``versions/NAME`` that are there."""
    for function in reversed(_CREATED.findall(_text(name))):
        op.execute(f"DROP FUNCTION IF EXISTS {function}")


def _text(name: str) -> str:
    return (VERSIONS / name).read_text(encoding="utf-8")
