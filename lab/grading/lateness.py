"""What was handed in later than it should have been, as far as files' times tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lab.grading.member_name import is_ignored

if TYPE_CHECKING:
    from lab.grade.sheet import Sheet

MOST_FILES = 2_000
"""Of a folder, that are looked at."""


def lateness(sheet: Sheet, submission: str) -> str:
    """How much after the deadline it was written last, for its teacher; "" where it was in time.

    A copy may have another time than the original, either way: nothing is marked down for it.
    """
    if sheet.due is None:
        return ""
    moments = [moment for _, moment in zip(range(MOST_FILES), _times(submission), strict=False)]
    if not moments:
        return ""
    written = datetime.fromtimestamp(max(moments), UTC).astimezone(sheet.due.tzinfo)
    if written <= sheet.due:
        return ""
    return f"late by {_span(written - sheet.due)}, by the time of its file: {written:%F %H:%M %z}"


def _times(submission: str) -> Iterator[float]:
    """The times of its files; of a single one its own."""
    try:
        path = Path(submission)
        if not path.is_dir():
            yield path.lstat().st_mtime
        for folder, folders, names in os.walk(path):
            folders[:] = (each for each in folders if not is_ignored(each, is_folder=True))
            for name in (each for each in names if not is_ignored(each, is_folder=False)):
                yield Path(folder, name).lstat().st_mtime
    except (OSError, ValueError):
        return


def _span(late: timedelta) -> str:
    """ "2 d 3 h", "5 min": its two largest units."""
    minutes = max(1, int(late.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [
        f"{days} d" if days else "",
        f"{hours} h" if hours else "",
        f"{rest} min" if rest else "",
    ]
    return " ".join([part for part in parts if part][:2])
