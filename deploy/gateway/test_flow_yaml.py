"""Tests that what flow_yaml.py writes says what it was given."""

import unittest

import flow_yaml
import yaml

LONG = {"key": "a value that is long enough to be written only once", "more": [1, 2.5, None, True]}


class FlowYaml(unittest.TestCase):
    def test_a_reader_gets_what_was_written(self):
        for value in [
            "a: b # c",
            [],
            {"text": "\"quoted\" \\ 'and' {braced}, *not an alias\n\u00e9\u2028"},
            [LONG, LONG, {"in": LONG}, [LONG]],
            [{"outer": LONG, "list": [LONG]}, {"outer": LONG, "list": [LONG]}, "short", "short"],
        ]:
            with self.subTest(value):
                self.assertEqual(yaml.safe_load(flow_yaml.write("x", value)), value)

    def test_what_is_repeated_is_written_once(self):
        text = flow_yaml.write_items("x", [LONG, {"in": LONG}, LONG])
        self.assertEqual(yaml.safe_load(text), [LONG, {"in": LONG}, LONG])
        self.assertEqual(text.count("long enough"), 1)


if __name__ == "__main__":
    unittest.main()
