"""Tests of the limits for all gateways together, with the real Envoy and a stand-in for the service that counts."""

import itertools
import unittest
from pathlib import Path

import yaml
from running_gateway import RunningGateway, nobody, wait_for
from stand_in_provider import StandInProvider
from stand_in_ratelimit import StandInRateLimit

SETTINGS = yaml.safe_load((Path(__file__).parent / "ratelimit/edge.yaml").read_text(encoding="utf-8"))
# So that an address may make 60 requests, a key and a subject 12, and one of them may be a sign-in.
SHARE = 0.004


class GlobalRates(RunningGateway):
    @classmethod
    def arguments(cls):
        cls.provider = StandInProvider(cls.files)
        cls.addClassCleanup(cls.provider.close)
        cls.service = StandInRateLimit(SETTINGS, SHARE)
        cls.addClassCleanup(cls.service.close)
        cls.sources = (f"127.2.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))
        own = ["--mobile", cls.bff.address, "--provider", cls.provider.address, "--rate", "address=0.001:200"]
        return [*own, "--rate-service", cls.service.address]

    def asked(self, path, *headers):
        """What the service is asked about a request."""
        self.service.asked.clear()
        self.assertEqual(self.get(path, *headers, source=next(self.sources))[0], 200)
        [(domain, descriptors)] = wait_for(lambda: list(self.service.asked))
        self.assertEqual(domain, SETTINGS["domain"])
        return [tuple(key for key, _ in descriptor) for descriptor in descriptors], dict(sum(descriptors, ()))

    def test_a_caller_is_named_as_in_the_gateways_own_buckets(self):
        by_address = ("subject", "masked_remote_address")
        token = f"Authorization: Bearer {self.provider.token('u_1')}"
        self.assertEqual(self.asked("/web/x")[0], [by_address])
        keys, values = self.asked("/partner/x", "X-API-Key: tpk_one_secret")
        self.assertEqual((keys, values["key"]), ([by_address, ("subject", "key", "masked_remote_address")], "one"))
        keys, values = self.asked("/mobile/x", token)
        self.assertEqual((keys[0], values["issuer"], values["subject"]), (("issuer", "subject"), self.provider.issuer, "u_1"))
        keys, values = self.asked("/web/auth/login?returnTo=/")
        self.assertEqual((keys, values["path"]), ([by_address, ("path", "masked_remote_address")], "sign-in"))

    def test_nothing_secret_leaves_for_the_service(self):
        said = ["X-API-Key: tpk_one_secret", "Authorization: Bearer secret", "Cookie: a=secret"]
        self.get("/partner/x?token=secret", *said, source=next(self.sources))
        self.assertNotIn("secret", str(self.service.asked[-1]))

    def test_each_limit_of_the_settings_holds(self):
        token = f"Authorization: Bearer {self.provider.token('u_2')}"
        for path, headers, limit in [
            ("/web/x", [], 60),
            ("/partner/x", ["X-API-Key: tpk_two_a"], 12),
            ("/mobile/x", [token], 12),
        ]:
            with self.subTest(path):
                source = next(self.sources)
                statuses = [self.get(path, *headers, source=source)[0] for _ in range(limit + 1)]
                self.assertEqual(statuses, [200] * limit + [429])

    def test_who_is_over_it_gets_the_same_problem(self):
        source = next(self.sources)
        answers = [self.get("/partner/x", source=source) for _ in range(61)]
        self.assert_problem(answers[-1], "too-many-requests", "/partner/x", "request_id")
        headers = answers[-1][1]
        self.assertEqual(headers["retry-after"], "42")
        self.assertEqual([name for name in headers if name.startswith("x-envoy") or "ratelimit" in name], [])


class NobodyCounts(RunningGateway):
    @classmethod
    def arguments(cls):
        return ["--provider", nobody(), "--rate", "address=0.001:20", "--rate-service", nobody()]

    def test_without_the_service_the_gateways_own_limits_hold_and_nobody_else_is_refused(self):
        statuses = [self.get("/web/x")[0] for _ in range(21)]
        self.assertEqual(statuses, [200] * 20 + [429])


class NobodyAnswers(RunningGateway):
    @classmethod
    def arguments(cls):
        # It listens, and never says a word.
        cls.silent = StandInProvider(cls.files)
        cls.addClassCleanup(cls.silent.close)
        cls.silent.open.clear()
        return [*super().arguments(), "--rate-service", cls.silent.address]

    def test_who_counts_slowly_refuses_nobody(self):
        self.assertEqual([self.get("/web/x")[0] for _ in range(5)], [200] * 5)


if __name__ == "__main__":
    unittest.main()
