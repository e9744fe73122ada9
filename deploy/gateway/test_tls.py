"""Tests of TLS: the gateway's own listener, the certificate for this machine, and a provider behind TLS."""

import http.client
import ssl
import subprocess
import tempfile
import unittest
import urllib.request
import warnings
from pathlib import Path

from running_gateway import GET, ROOT, Http2Client, RunningGateway, wait_for
from stand_in_provider import StandInProvider, openssl

SCRIPT = ROOT / "scripts/certificate"


def certificate(folder):
    subprocess.run([SCRIPT, "--folder", folder], check=True, stdout=subprocess.PIPE)
    return Path(folder)


def pair_of(folder):
    """The arguments that name a certificate and its key."""
    return ["--certificate", folder / "certificate.pem", "--key", folder / "key.pem"]


def trusting(folder, *protocols):
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    context.set_alpn_protocols(protocols)
    return context


class OverTls(RunningGateway):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.tls_files = certificate(folder.name)
        super().setUpClass()
        cls.tls_address = ("127.0.0.1", cls.ports["edge-tls"])

    @classmethod
    def arguments(cls):
        return [*super().arguments(), "--tls-listen", "127.0.0.1:0", *pair_of(cls.tls_files)]


class Listener(OverTls):

    @classmethod
    def arguments(cls):
        web_app = cls.files / "web-app"
        web_app.mkdir()
        (web_app / "index.html").write_text("<!doctype html>", encoding="utf-8")
        return [*super().arguments(), "--hsts", "77"]

    def context(self, *protocols):
        return trusting(self.tls_files, *protocols)

    def connect(self, source):
        """A connection with TLS; the plain ones of a test are made by `plain`."""
        return self.context("http/1.1").wrap_socket(super().connect(source), server_hostname="localhost")

    def setUp(self):
        self.address = self.tls_address

    def plain(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["edge"], timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse()

    def test_it_is_the_same_gateway(self):
        forged = ["X-User-Id: u_1", "X-Forwarded-Proto: http", "X-Forwarded-For: 10.0.0.1"]
        seen = self.seen("/web/x", *forged, source="127.1.0.1")
        self.assertEqual((seen[":path"], seen["x-forwarded-proto"], seen["x-forwarded-for"]), ("/x", "https", "127.1.0.1"))
        self.assertEqual(seen[":authority"], "shop.example")
        self.assertNotIn("x-user-id", seen)
        self.assert_problem(self.get("/nowhere"), "not-found", "/nowhere")

    def test_both_versions_of_http_are_spoken(self):
        with Http2Client(self.tls_address, self.context("h2", "http/1.1")) as client:
            self.assertEqual(client.socket.selected_alpn_protocol(), "h2")
            client.open(1, "/web/x")
            client.flush()
            self.assertEqual(client.answers(1)[1][0], 200)
        with self.connect("127.0.0.1") as connection:
            self.assertEqual(connection.selected_alpn_protocol(), "http/1.1")

    def test_every_name_of_this_machine_is_in_the_certificate(self):
        for name in ["localhost", "127.0.0.1", "::1"]:
            with RunningGateway.connect(self, "127.0.0.1") as raw, self.context().wrap_socket(raw, server_hostname=name) as tls:
                self.assertIn(tls.version(), ("TLSv1.2", "TLSv1.3"))
        with RunningGateway.connect(self, "127.0.0.1") as raw, self.assertRaises(ssl.SSLCertVerificationError):
            self.context().wrap_socket(raw, server_hostname="shop.example")

    def test_old_versions_of_tls_are_refused(self):
        context = self.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with RunningGateway.connect(self, "127.0.0.1") as raw, self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
            context.wrap_socket(raw, server_hostname="localhost")

    def test_a_browser_is_told_to_stay_with_tls_and_only_over_tls(self):
        for request in [GET.format(path, "") for path in ["/", "/web/x", "/nowhere"]] + ["GET /x HTTP/1.0\r\n\r\n"]:
            with self.subTest(request):
                self.assertEqual(self.send(request)[1].get("strict-transport-security"), "max-age=77")
        for path in ["/", "/web/x", "/nowhere"]:
            self.assertIsNone(self.plain(path).headers["strict-transport-security"])


class Renewal(OverTls):
    """The certificate is replaced while the gateway runs."""

    def serial(self):
        """Of the certificate that a new connection is shown; another authority is no error here."""
        shown = ssl.get_server_certificate(self.tls_address, timeout=10)
        return openssl("x509", "-noout", "-serial", data=shown.encode())

    def replace(self, names):
        """Moves these files of a new pair over the old ones, and returns the folder of the pair."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        new = certificate(folder.name)
        for name in names:
            aside = self.tls_files / f"{name}.new"
            aside.write_bytes((new / name).read_bytes())
            aside.replace(self.tls_files / name)
        return new

    def refused(self):
        """How often a new pair was found to be none."""
        text = urllib.request.urlopen(f"{self.admin}/stats?filter=sds.edge.key_rotation_failed$").read().decode()
        return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())

    def test_a_new_connection_is_shown_the_new_one_and_an_old_connection_lives_on(self):
        with Http2Client(self.tls_address, trusting(self.tls_files, "h2")) as old:
            old.open(1, "/web/x")
            old.flush()
            self.assertEqual(old.answers(1)[1][0], 200)
            before = self.serial()
            new = self.replace(["key.pem", "certificate.pem", "authority.pem"])
            wait_for(lambda: self.serial() != before)
            with Http2Client(self.tls_address, trusting(new, "h2")) as client:
                client.open(1, "/web/x")
                client.flush()
                self.assertEqual(client.answers(1)[1][0], 200)
            old.open(3, "/web/x")
            old.flush()
            self.assertEqual(old.answers(1)[3][0], 200)

    def test_a_pair_that_does_not_fit_changes_nothing(self):
        before, refused = self.serial(), self.refused()
        new = self.replace(["key.pem"])
        wait_for(lambda: self.refused() > refused)
        self.assertEqual(self.serial(), before)
        for name in ["certificate.pem", "authority.pem"]:
            (new / name).replace(self.tls_files / name)
        wait_for(lambda: self.serial() != before)


class Certificate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = certificate(folder.name)

    def serial(self):
        return openssl("x509", "-noout", "-serial", "-in", self.folder / "certificate.pem")

    def test_the_key_is_for_nobody_else_and_the_authoritys_is_gone(self):
        modes = {path.name: path.stat().st_mode & 0o777 for path in self.folder.iterdir()}
        self.assertEqual(set(modes), {"authority.pem", "certificate.pem", "key.pem", "lock"})
        self.assertEqual(modes["key.pem"], 0o600)
        key = openssl("pkey", "-pubout", "-in", self.folder / "key.pem")
        self.assertNotEqual(key, openssl("x509", "-noout", "-pubkey", "-in", self.folder / "authority.pem"))

    def test_a_good_one_is_kept(self):
        before = self.serial()
        certificate(self.folder)
        self.assertEqual(self.serial(), before)

    def test_a_bad_one_is_made_anew(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        another = certificate(folder.name)

        def take(name):
            (self.folder / name).write_bytes((another / name).read_bytes())

        def shorten():
            pair = ["-key", self.folder / "key.pem", "-subj", "/CN=localhost"]
            openssl("req", "-x509", "-days", "7", *pair, "-out", self.folder / "certificate.pem")
            (self.folder / "authority.pem").write_bytes((self.folder / "certificate.pem").read_bytes())

        for name, spoil in {
            "no key": (self.folder / "key.pem").unlink,
            "another key": lambda: take("key.pem"),
            "another authority": lambda: take("authority.pem"),
            "no certificate at all": lambda: (self.folder / "certificate.pem").write_bytes(b"x"),
            "ends within days": shorten,
        }.items():
            with self.subTest(name):
                spoil()
                spoilt = (self.folder / "certificate.pem").read_bytes()
                certificate(self.folder)
                self.assertNotEqual((self.folder / "certificate.pem").read_bytes(), spoilt)
                openssl("verify", "-CAfile", self.folder / "authority.pem", self.folder / "certificate.pem")


class ProviderBehindTls(RunningGateway):
    """Two providers with one certificate, which has the name of one issuer."""

    ISSUER = "https://localhost:8443/realms/shop"

    @classmethod
    def arguments(cls):
        cls.tls_files = certificate(cls.files / "tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.tls_files / "certificate.pem", cls.tls_files / "key.pem")
        cls.provider = StandInProvider(cls.files, issuer=cls.ISSUER, tls=context)
        cls.addClassCleanup(cls.provider.close)
        cls.stranger = StandInProvider(cls.files, issuer="https://id.example", tls=context)
        cls.addClassCleanup(cls.stranger.close)
        pairs = [("--issuer", it.issuer, "--provider", it.address) for it in (cls.provider, cls.stranger)]
        limits = ["--rate", "address=0.001:1", "--provider-ca", cls.tls_files / "authority.pem", "--jwks", "/realms/shop/keys"]
        return [*limits, "--mobile", cls.bff.address, *(part for pair in pairs for part in pair)]

    def test_a_provider_proves_the_name_of_its_issuer(self):
        self.assertEqual([self.get("/mobile/x")[0] for _ in range(2)], [200, 429])
        for provider, status in [(self.provider, 200), (self.stranger, 429)]:
            self.assertEqual(self.get("/mobile/x", f"Authorization: Bearer {provider.token('a')}")[0], status)
        self.assertEqual(set(self.provider.hosts), {"localhost:8443"})
        self.assertEqual(self.stranger.hosts, [])


class Arguments(unittest.TestCase):
    def test_a_listener_needs_a_certificate(self):
        for arguments, message in [
            ([], "needs --certificate and --key"),
            (["--certificate", "/nowhere", "--key", "/nowhere"], "gateway: cannot read /nowhere"),
        ]:
            command = [ROOT / "scripts/gateway", "--tls-listen", "127.0.0.1:0", "--render-only", "/dev/null", *arguments]
            failed = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertIn(message, failed.stderr)
            self.assertNotEqual(failed.returncode, 0)


if __name__ == "__main__":
    unittest.main()
