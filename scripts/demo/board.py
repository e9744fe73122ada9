"""Draws answers side by side in a terminal of 80 to 120 columns."""

import json
import os
import re
import shutil
import sys
from itertools import zip_longest

GAP = "  "
MOST_LINES = 24
COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}


def paint(text, colour):
    """The text in a colour, where there is a terminal to see it and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{COLOURS[colour]}m{text}\033[0m"


def width():
    return max(80, min(120, shutil.get_terminal_size((100, 24)).columns))


def side_by_side(columns):
    """Prints columns, each a list of (text, colour or None); what does not fit is cut."""
    room = (width() - len(GAP) * len(columns)) // len(columns)
    for row in zip_longest(*columns, fillvalue=("", None)):
        print(GAP.join(cell(text, colour, room) for text, colour in row).rstrip())


def cell(text, colour, room):
    text = text if len(text) <= room else text[: room - 1] + "…"
    padding = " " * (room - len(text))
    if colour == "json":
        return re.sub(r'^( *)("[^"]*")(:)', lambda found: found[1] + paint(found[2], "cyan") + found[3], text) + padding
    return (paint(text, colour) if colour else text) + padding


def outline(body):
    """The lines of an answer: of each list the first item and how many more there are."""
    text = json.dumps(shorten(body), indent=1, ensure_ascii=False)
    lines = [re.sub(r'"(… \d+ more)"', r"\1", line) for line in text.splitlines()]
    return lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1] + ["…"]


def shorten(value):
    if isinstance(value, list):
        more = [f"… {len(value) - 1} more"] if len(value) > 1 else []
        return [shorten(item) for item in value[:1]] + more
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    return value


def size(number):
    return f"{number} B" if number < 1024 else f"{number / 1024:.1f} KiB"
