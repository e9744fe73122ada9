"""Tests of what slos.py takes. What it renders is tested by promtool. Run by scripts/alerts."""

import tempfile
import unittest
from pathlib import Path

import slos
import yaml

GROUP = {"service": "web-bff", "available": 99.9, "within": 0.5, "share": 99, "why": "because", "screens": ["GET /a"]}


def read(*groups):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(list(groups), file)
        file.flush()
        return slos.read(Path(file.name))


class Slos(unittest.TestCase):
    def test_a_group_is_its_screens(self):
        screens = read(GROUP | {"screens": ["GET /a", "POST /a/{id}"]})
        self.assertEqual(
            [(it.method, it.route, it.available) for it in screens], [("GET", "/a", 99.9), ("POST", "/a/{id}", 99.9)]
        )

    def test_a_screen_without_an_objective_has_no_rule(self):
        text = slos.render(read(GROUP, {"service": "web-bff", "screens": ["GET /docs"]}))
        self.assertNotIn("/docs", text)

    def test_a_whole_boundary_is_found_in_both_spellings(self):
        self.assertIn('le=~"1|1[.]0"', slos.render(read(GROUP | {"within": 1})))
        self.assertIn('le="0.5"', slos.render(read(GROUP)))

    def test_what_cannot_be_kept_is_refused(self):
        for wrong, words in [
            ({"within": 0.6}, "no bucket boundary"),
            ({"available": 100}, "less than 100"),
            ({"share": 90}, "at least 94"),
            ({"share": None}, "go together"),
            ({"why": None}, "say why"),
            ({"screens": ["GET /a", "GET /a"]}, "two objectives"),
        ]:
            with self.subTest(words), self.assertRaisesRegex(slos.BadObjective, words):
                read(GROUP | wrong)


if __name__ == "__main__":
    unittest.main()
