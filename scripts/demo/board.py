"""Draws answers side by side in a terminal of 80 to 120 columns."""

import json
import os
import re
import shutil
import sys
from itertools import zip_longest

GAP = "  "
MOST_LINES = 48
FLAT = 2  # an object of so few values stays on one line
DEEP = 2
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
    """The lines of an answer: of each list the first item and how many more there are, and no object in an object's object."""
    lines = list(draw(body))
    return lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1] + ["…"]


def draw(value, indent="", label="", comma="", depth=0):
    """The lines of one value, `label` in front of its first and `comma` after its last."""
    brackets, members = parts(value)
    if len(members) <= FLAT and not any(isinstance(member, (dict, list)) for _, member in members):
        yield f"{indent}{label}{json.dumps(value, ensure_ascii=False)}{comma}"
    elif depth >= DEEP:
        yield f"{indent}{label}{brackets[0]} … {brackets[1]}{comma}"
    else:
        shown, deeper = (members, 1) if isinstance(value, dict) else (members[:1], 0)
        yield f"{indent}{label}{brackets[0]}"
        for number, (name, member) in enumerate(shown, 1):
            yield from draw(member, indent + " ", name, "," if number < len(members) else "", depth + deeper)
        if len(members) > len(shown):
            yield f"{indent} … {len(members) - len(shown)} more"
        yield f"{indent}{brackets[1]}{comma}"


def parts(value):
    if isinstance(value, dict):
        return "{}", [(f"{json.dumps(key)}: ", member) for key, member in value.items()]
    if isinstance(value, list):
        return "[]", [("", member) for member in value]
    return "", []


def size(number):
    return f"{number} B" if number < 1024 else f"{number / 1024:.1f} KiB"
