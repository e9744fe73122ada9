"""What PromQL names: metrics, and the labels that it chooses by. Its words are read here; promtool reads its grammar."""

import re

TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
CHOICE = re.compile(r"([a-zA-Z_:][\w:]*)?\s*\{([^{}]*)\}")
LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
SPAN = re.compile(r"\[[^\]]*\]")
# A name before a parenthesis is a function; a number may have an exponent, and a variable of Grafana a dollar sign.
NAME = re.compile(r"(?<![\w$:.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")
WORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan"}


def metrics(expression: str) -> set[str]:
    """The names of the metrics in it."""
    bare = SPAN.sub("", CHOICE.sub(r"\1", TEXT.sub('""', expression)))
    return {name for name in NAME.findall(GROUPING.sub("", bare)) if name.lower() not in WORDS}


def choices(expression: str) -> set[tuple[str, str]]:
    """(metric, label) for each label by which a metric's series are chosen."""
    bare = TEXT.sub('""', expression)
    return {(metric, label) for metric, inside in CHOICE.findall(bare) if metric for label in LABEL.findall(inside)}
