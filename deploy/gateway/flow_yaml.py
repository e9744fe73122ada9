"""Writes a value as YAML in its flow style, which is JSON, except that what occurs often is written once.

Envoy gets its configuration as one argument, and the kernel limits an argument to 128 KiB.
"""

import json
from collections import Counter

WORTH_SHARING = 60  # characters


def write(name, value):
    """The value; what it shares with itself has an anchor that begins with `name`."""
    writer = Writer(name)
    writer.count(value)
    return writer.write(value)


def write_items(name, values):
    """The values as the items of a list, one on each line."""
    writer = Writer(name)
    for value in values:
        writer.count(value)
    return "\n".join(f"- {writer.write(value)}" for value in values)


class Writer:
    def __init__(self, name):
        self.name = name
        self.counts = Counter()
        self.anchors = {}

    def count(self, value):
        """How often each list and object is written when one that was seen before is only referred to."""
        text = json.dumps(value)
        if isinstance(value, (dict, list)) and len(text) >= WORTH_SHARING:
            self.counts[text] += 1
            if self.counts[text] == 1:
                for member in value.values() if isinstance(value, dict) else value:
                    self.count(member)

    def write(self, value):
        text = json.dumps(value)
        if self.counts[text] < 2:
            return self.spell(value)
        if text in self.anchors:
            return f"*{self.anchors[text]}"
        body = self.spell(value)
        self.anchors[text] = f"{self.name}_{len(self.anchors)}"
        return f"&{self.anchors[text]} {body}"

    def spell(self, value):
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(key)}: {self.write(member)}" for key, member in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.write, value)) + "]"
        return json.dumps(value)
