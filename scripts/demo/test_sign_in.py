"""Tests of the scripted sign-in, against a stand-in for web-bff and for an identity provider. Run by scripts/test."""

import http.server
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from demo import sign_in

CERTIFICATE = Path(__file__).resolve().parent.parent / "certificate"
ISSUER = "http://id.example"


class StandIn(http.server.ThreadingHTTPServer):
    """Both in one, told apart by the `Host` they are asked by. `requests` is what was asked: (host, method, path, cookies)."""

    daemon_threads = True

    def __init__(self, tls=None, prefix="/web", issuer=ISSUER):
        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.web = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{self.server_address[1]}{prefix}"
        self.issuer = issuer
        self.prefix = prefix
        self.requests = []
        self.broken = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        url, host = urlsplit(self.path), self.headers["host"]
        self.asked, cookies = parse_qs(url.query), self.headers.get("cookie", "")
        self.server.requests.append((host, self.command, url.path, cookies))
        prefix, name = self.server.prefix, f"{self.command} {url.path}"
        if name in self.server.broken:
            return self.reply(503)
        if name == f"GET {prefix}/auth/login":
            attempt = "triptych-dev-login-0a1b2c3d=sealed; HttpOnly; SameSite=Lax; Path=/"
            query = urlencode({"state": "s&1", "redirect_uri": f"{self.server.web}/auth/callback"})
            return self.reply(303, f"{self.server.issuer}/authorize?{query}", attempt)
        if name == "POST /authorize" and host == urlsplit(self.server.issuer).netloc:
            return self.choose()
        if name == f"GET {prefix}/auth/callback":
            return self.redeem(cookies)
        return self.reply(404)

    def choose(self):
        user = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())["user_id"][0]
        if not user.startswith("u_"):
            return self.reply(400)
        query = urlencode({"code": f"code of {user}", "state": self.asked["state"][0]})
        return self.reply(303, f"{self.asked['redirect_uri'][0]}?{query}", "provider=secret; Path=/")

    def redeem(self, cookies):
        if cookies != "triptych-dev-login-0a1b2c3d=sealed" or self.asked["state"] != ["s&1"]:
            return self.reply(400)
        session = f"triptych-dev={self.asked['code'][0].replace(' ', '.')}; HttpOnly; SameSite=Strict; Path=/"
        return self.reply(303, "/", session, "triptych-dev-login-0a1b2c3d=; Max-Age=0; Path=/")

    def reply(self, status, location=None, *cookies):
        self.send_response(status)
        for name, value in [("Location", location), *(("Set-Cookie", cookie) for cookie in cookies)]:
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class SignIn(unittest.TestCase):
    def stand_in(self, **options):
        stand_in = StandIn(**options)
        self.addCleanup(stand_in.close)
        return stand_in, {"id.example:80": stand_in.web.split("/")[2].replace("localhost", "127.0.0.1")}

    def test_the_session_is_the_users(self):
        for prefix in ["/web", ""]:
            stand_in, places = self.stand_in(prefix=prefix)
            cookie = sign_in.session_cookie(stand_in.web, "u_42", places)
            self.assertEqual(cookie, "triptych-dev=code.of.u_42")
            host = urlsplit(stand_in.web).netloc
            attempt = "triptych-dev-login-0a1b2c3d=sealed"
            self.assertEqual(
                stand_in.requests,
                [
                    (host, "GET", f"{prefix}/auth/login", ""),
                    # No cookie goes to another host.
                    ("id.example", "POST", "/authorize", ""),
                    (host, "GET", f"{prefix}/auth/callback", attempt),
                ],
            )

    def test_it_works_over_tls_with_an_authority_of_ones_own(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        subprocess.run([sys.executable, CERTIFICATE, "--folder", folder.name], check=True, stdout=subprocess.PIPE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder.name}/certificate.pem", f"{folder.name}/key.pem")
        provider, places = self.stand_in()
        web, _ = self.stand_in(tls=context)
        cookie = sign_in.session_cookie(web.web, "u_1", places, f"{folder.name}/authority.pem")
        self.assertEqual(cookie, "triptych-dev=code.of.u_1")
        self.assertEqual([request[0] for request in provider.requests], ["id.example"])
        with self.assertRaisesRegex(sign_in.NotSignedIn, "https://localhost:[0-9]+ does not answer: .*certificate"):
            sign_in.session_cookie(web.web, "u_1", places)

    def test_what_goes_wrong_is_said(self):
        stand_in, places = self.stand_in()
        for broken, user, message in [
            ("", "nobody", "the identity provider answered 400 to POST http://id.example/authorize, not"),
            ("GET /web/auth/login", "u_1", "web-bff answered 503 to GET http://.*/web/auth/login, not"),
            ("GET /web/auth/callback", "u_1", "web-bff answered 503 to GET http://.*/web/auth/callback, not"),
        ]:
            stand_in.broken = {broken}
            with self.subTest(message), self.assertRaisesRegex(sign_in.NotSignedIn, message) as raised:
                sign_in.session_cookie(stand_in.web, user, places)
            self.assertNotIn("code", str(raised.exception))
        stand_in.close()
        with self.assertRaisesRegex(sign_in.NotSignedIn, "does not answer"):
            sign_in.session_cookie(stand_in.web, "u_1", places)


if __name__ == "__main__":
    unittest.main()
