"""Tests of the rate limits and of the tokens that choose a bucket, with the real Envoy."""

import itertools
import json
import tempfile
import unittest

import rates
from running_gateway import RunningGateway, nobody
from stand_in_provider import StandInProvider

# A bucket of each kind, so slow to fill that a test sees no token come back. The slowest is asked first, as by default.
RATES = {"subject": 5, "key": 3, "address": 4, "sign-in": 2}
ARGUMENTS = ["--rate", "address=0.002:4", "--rate", "subject=0.001:5", "--rate", "key=0.001:3", "--rate", "sign-in=0.001:2"]


class Limited(RunningGateway):
    """A gateway with low limits, in front of a mobile-bff that is up, and with an identity provider."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.provider = StandInProvider(folder.name)
        cls.addClassCleanup(cls.provider.close)
        # Every test calls from addresses, and with names, of its own.
        cls.sources = (f"127.1.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))
        super().setUpClass()

    @classmethod
    def arguments(cls):
        return [*ARGUMENTS, "--provider", cls.provider.address, "--mobile", cls.bff.address]

    def statuses(self, count, path, *headers, source):
        return [self.get(path, *headers, source=source)[0] for _ in range(count)]

    def assert_limit(self, limit, path, *headers, source):
        """So many requests pass, and the next does not."""
        self.assertEqual(self.statuses(limit + 1, path, *headers, source=source), [200] * limit + [429])

    def exhausted(self):
        """A new address whose bucket is empty."""
        source = next(self.sources)
        self.assert_limit(RATES["address"], "/web/x", source=source)
        return source

    def bearer(self, *arguments, **claims):
        return f"Authorization: Bearer {self.provider.token(*arguments, **claims)}"


class Addresses(Limited):
    def test_an_address_has_a_limit_for_everything_and_everybody(self):
        source, key = next(self.sources), "X-API-Key: tpk_a_b"
        for path, headers in [("/web/x", []), ("/mobile/x", ["Authorization: Bearer a"]), ("/partner/x", [key]), ("/", [])]:
            self.assertNotEqual(self.get(path, *headers, source=source)[0], 429)
        for path, id_name in [("/web/x", "requestId"), ("/mobile/x", "requestId"), ("/", "requestId"), ("/partner/x", "request_id")]:
            with self.subTest(path):
                answer = self.get(path, source=source)
                self.assert_problem(answer, "too-many-requests", path, id_name)
                self.assertEqual((answer[0], answer[1]["retry-after"]), (429, "500"))
                self.assertEqual([name for name in answer[1] if name.startswith("x-envoy") or "ratelimit" in name], [])
        self.assertEqual(self.get("/web/x", source=next(self.sources))[0], 200)

    def test_each_bucket_says_when_it_has_a_token_again(self):
        source = next(self.sources)
        for path, headers, limit, seconds in [
            ("/web/auth/login", [], RATES["sign-in"], "1000"),
            ("/partner/x", ["X-API-Key: tpk_wait_a"], RATES["address"] - RATES["sign-in"], "500"),
        ]:
            with self.subTest(path):
                self.assertEqual(self.statuses(limit, path, *headers, source=source), [200] * limit)
                answer = self.get(path, *headers, source=source)
                self.assertEqual((answer[0], answer[1]["retry-after"]), (429, seconds))

    def test_when_a_bff_says_when_it_is_asked_again_that_stands(self):
        status, headers, _ = self.get("/web/unwell", source=next(self.sources))
        self.assertEqual((status, headers["retry-after"]), (503, "7"))

    def test_nobody_chooses_an_address(self):
        source = self.exhausted()
        for name in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Envoy-External-Address", "True-Client-IP"]:
            self.assertEqual(self.get("/web/x", f"{name}: 10.0.0.7", source=source)[0], 429)

    def test_signing_in_has_a_limit_of_its_own(self):
        source = next(self.sources)
        for path in ["/web/auth/login?returnTo=/", "/web//auth/./callback?code=a&state=b"]:
            self.assertEqual(self.get(path, source=source)[0], 200)
        for path in ["/web/auth/login", "/web/x/../auth/login", "/web/auth/%6cogin", "/web/auth/login?x"]:
            self.assert_problem(self.get(path, source=source), "too-many-requests", "/web/auth/login")
        # It took nothing from what everything else has.
        self.assertEqual(self.statuses(2, "/web/auth/session", source=source), [200, 200])


class Keys(Limited):
    def test_a_key_has_a_limit_for_each_address(self):
        source = next(self.sources)
        # Whatever its secret: the id alone is looked at.
        for secret in ["a", "b", "c_d"]:
            self.assertEqual(self.get("/partner/x", f"X-API-Key: tpk_one_{secret}", source=source)[0], 200)
        self.assertEqual(self.get("/partner/x", "X-API-Key: tpk_one_e", source=source)[0], 429)
        self.assertEqual(self.get("/partner/x", "X-API-Key: tpk_two_e", source=source)[0], 200)
        self.assertEqual(self.get("/partner/x", "X-API-Key: tpk_one_a", source=next(self.sources))[0], 200)

    def test_invented_ids_buy_nothing(self):
        source = next(self.sources)
        statuses = [self.get("/partner/x", f"X-API-Key: tpk_id{number}_a", source=source)[0] for number in range(10)]
        self.assertEqual(statuses, [200] * 4 + [429] * 6)

    def test_what_is_no_key_is_no_caller(self):
        source = next(self.sources)
        long = "a" * 65
        for value in ["secret", "tpk_", "tpk__a", f"tpk_{long}_a"]:
            self.assertEqual(self.get("/partner/x", f"X-API-Key: {value}", source=source)[0], 200)
        self.assertEqual(self.get("/partner/x", "X-API-Key: another", source=source)[0], 429)

    def test_a_key_comes_through_untouched(self):
        seen = self.get("/partner/x", "X-API-Key: tpk_one_secret", source=next(self.sources))
        self.assertEqual(dict(json.loads(seen[2]))["x-api-key"], "tpk_one_secret")


class Subjects(Limited):
    def test_a_verified_subject_has_a_limit_wherever_it_is(self):
        for frontend in ["mobile", "partner"]:
            with self.subTest(frontend):
                source, one = self.exhausted(), self.bearer(f"{frontend} one", aud=f"{frontend}-bff")
                self.assert_limit(RATES["subject"], f"/{frontend}/x", one, source=source)
                self.assertEqual(self.get(f"/{frontend}/x", one, source=next(self.sources))[0], 429)
                # Another token of the same subject is the same caller, and another subject is another.
                again, other = self.bearer(f"{frontend} one", jti="2"), self.bearer(f"{frontend} two")
                self.assertEqual(self.get(f"/{frontend}/x", again, source=source)[0], 429)
                self.assertEqual(self.get(f"/{frontend}/x", other, source=source)[0], 200)

    def test_a_token_for_dpop_is_a_token(self):
        token = self.provider.token("dpop")
        self.assertEqual(self.get("/mobile/x", f"Authorization: DPoP {token}", source=self.exhausted())[0], 200)

    def test_a_key_beside_a_verified_token_takes_nothing(self):
        both = [self.bearer("with a key"), "X-API-Key: tpk_one_a"]
        self.assert_limit(RATES["subject"], "/partner/x", *both, source=self.exhausted())

    def test_what_is_not_verified_chooses_nothing(self):
        signed, other = self.provider.token("forged"), self.provider.token("other")
        exhausted = self.exhausted()
        for name, token in {
            "no token": "a.b.c",
            "another's signature": f"{signed.rpartition('.')[0]}.{other.rpartition('.')[2]}",
            "none": self.provider.token("forged", head={"alg": "none"}),
            "another algorithm": self.provider.token("forged", head={"alg": "RS256", "kid": "k1"}),
            "HS256": self.provider.token("forged", head={"alg": "HS256", "kid": "k1"}),
            "another issuer": self.provider.token("forged", iss="http://evil.example"),
            "no issuer": self.provider.token("forged", iss=None),
            "another audience": self.provider.token("forged", aud="web-bff"),
            "no audience": self.provider.token("forged", aud=None),
            "expired": self.provider.token("forged", exp=1_600_000_000),
            "without an end": self.provider.token("forged", exp=None),
            "without a subject": self.provider.token(None),
            "a subject that is no text": self.provider.token(42),
            "an empty subject": self.provider.token(""),
        }.items():
            with self.subTest(name):
                header = f"Authorization: Bearer {token}"
                self.assertEqual(self.get("/mobile/x", header, source=exhausted)[0], 429)
                # It is let through where there is room: the BFF refuses it.
                _, _, body = self.get("/mobile/x", header, source=next(self.sources))
                self.assertEqual(dict(json.loads(body))["authorization"], f"Bearer {token}")

    def test_a_flood_of_tokens_pays_from_the_address(self):
        source, signature = next(self.sources), self.provider.token("a").rpartition(".")[2]
        tokens = [self.provider.token(f"flood {number}", head={"alg": "none"}) + signature for number in range(8)]
        statuses = [self.get("/mobile/x", f"Authorization: Bearer {token}", source=source)[0] for token in tokens]
        self.assertEqual(statuses, [200] * 4 + [429] * 4)

    def test_a_token_counts_nowhere_but_in_its_header_on_mobile_and_partner(self):
        token, source = self.provider.token("elsewhere"), self.exhausted()
        self.assertEqual(self.get("/web/x", f"Authorization: Bearer {token}", source=source)[0], 429)
        self.assertEqual(self.get(f"/mobile/x?access_token={token}", source=source)[0], 429)
        self.assertEqual(self.get("/mobile/x", f"Cookie: access_token={token}", source=source)[0], 429)

    def test_the_provider_is_asked_by_its_own_name(self):
        self.assertEqual(set(self.provider.hosts), {"127.0.0.1:3007"})


class ProviderSilent(Limited):
    """The provider accepts connections and says nothing, until a test lets it speak."""

    @classmethod
    def arguments(cls):
        cls.provider.open.clear()
        return super().arguments()

    def test_the_gateway_serves_without_keys_and_verifies_once_it_has_them(self):
        source = self.exhausted()
        self.assertEqual(self.get("/mobile/x", self.bearer("early"), source=next(self.sources))[0], 200)
        self.assertEqual(self.get("/mobile/x", self.bearer("early"), source=source)[0], 429)
        self.provider.open.set()
        self.assertEqual(self.get("/mobile/x", self.bearer("late"), source=source)[0], 200)


class ProviderDown(Limited):
    @classmethod
    def arguments(cls):
        return [*super().arguments()[:-4], "--provider", nobody(), "--mobile", cls.bff.address]

    def test_a_token_comes_through_when_nobody_can_verify_it(self):
        source, token = next(self.sources), self.bearer("a")
        self.assert_limit(RATES["address"], "/mobile/x", token, source=source)


class TwoProviders(Limited):
    @classmethod
    def arguments(cls):
        cls.second = StandInProvider(cls.provider.key.parent, issuer="https://id.example/realms/shop", algorithm="RS256")
        cls.addClassCleanup(cls.second.close)
        pairs = [("--issuer", it.issuer, "--provider", it.address) for it in (cls.provider, cls.second)]
        return [*super().arguments()[:-4], "--mobile", cls.bff.address, *(part for pair in pairs for part in pair)]

    def test_a_subject_is_its_issuers(self):
        source = self.exhausted()
        for provider in (self.provider, self.second):
            token = f"Authorization: Bearer {provider.token('same')}"
            self.assert_limit(RATES["subject"], "/mobile/x", token, source=source)
        mixed = self.second.token("same", iss=self.provider.issuer)
        self.assertEqual(self.get("/mobile/x", f"Authorization: Bearer {mixed}", source=source)[0], 429)


class Arguments(unittest.TestCase):
    def test_a_rate_is_a_kind_and_two_numbers(self):
        self.assertEqual(rates.parse([]), rates.DEFAULTS)
        self.assertIsNone(rates.parse(["subject=1:2", "off"]))
        changed = rates.parse(["subject=0.5:2", "sign-in=7:70"])
        self.assertEqual(changed, rates.DEFAULTS | {"subject": rates.Rate(0.5, 2), "sign-in": rates.Rate(7, 70)})
        for bad in ["on", "subject", "subject=1", "subject=0:1", "subject=1:0", "user=1:2", "subject=-1:2", "address=1:2:3", ""]:
            with self.subTest(bad), self.assertRaises(rates.BadRate):
                rates.parse([bad])

    def test_a_bucket_fills_at_its_rate(self):
        self.assertEqual(rates.Rate(100, 200).bucket(), {"max_tokens": 200, "tokens_per_fill": 100, "fill_interval": "1s"})
        self.assertEqual(rates.Rate(0.5, 2).bucket(), {"max_tokens": 2, "tokens_per_fill": 1, "fill_interval": "2.000s"})


if __name__ == "__main__":
    unittest.main()
