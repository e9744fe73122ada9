"""Tests of the web app's files as the gateway answers them, with the real Envoy."""

import tempfile
import unittest
from pathlib import Path

import web_app
from running_gateway import ROOT, RunningGateway

FILES = {
    "index.html": "<!doctype html><title>Triptych – ${x}</title>",
    "app.css": "body { margin: 0 }",
    "app.js": "console.log(`${'%REQ(COOKIE)%'} \\u0041 \"quoted\"`);\n",
    "screens/dashboard.js": "export {};",
    "icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    ".hidden.js": "never served",
}
REQUEST = "{} {} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{}\r\n"


class WebApp(RunningGateway):
    @classmethod
    def arguments(cls):
        for name, text in FILES.items():
            file = cls.files / "web-app" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return super().arguments()

    def ask(self, method, path, *headers):
        return self.send(REQUEST.format(method, path, "".join(f"{header}\r\n" for header in headers)))

    def test_each_file_is_at_its_name(self):
        for path, name, content_type in [
            ("/", "index.html", "text/html; charset=utf-8"),
            ("/?code=x", "index.html", "text/html; charset=utf-8"),
            ("/app.css", "app.css", "text/css; charset=utf-8"),
            ("/app.js", "app.js", "text/javascript; charset=utf-8"),
            ("/screens/dashboard.js", "screens/dashboard.js", "text/javascript; charset=utf-8"),
            ("/icon.svg", "icon.svg", "image/svg+xml"),
        ]:
            with self.subTest(path):
                status, headers, body = self.get(path)
                self.assertEqual((status, headers["content-type"], body), (200, content_type, FILES[name]))
        self.assertEqual(self.bff.requests, [])

    def test_nothing_else_is_there(self):
        for path in ["/index.html", "/.hidden.js", "/app.js/", "/screens/", "/screens", "/APP.css", "/app.css.map", "/envoy.yaml"]:
            with self.subTest(path):
                self.assert_problem(self.get(path), "not-found", path)
        self.assert_problem(self.get("/../gateway/envoy.yaml"), "not-found", "/gateway/envoy.yaml")

    def test_a_page_is_confined_and_leaks_nothing(self):
        for path in ["/", "/app.js"]:
            _, headers, _ = self.get(path)
            policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
            self.assertEqual((policy["default-src"], policy["script-src"], policy["style-src"]), ("'none'", "'self'", "'self'"))
            self.assertEqual((policy["frame-ancestors"], policy["base-uri"], policy["form-action"]), ("'none'", "'none'", "'self'"))
            self.assertNotIn("unsafe", headers["content-security-policy"])
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["cross-origin-opener-policy"], "same-origin")
            self.assertEqual([name for name in headers if name == "server" or name.startswith("x-envoy")], [])

    def test_a_file_that_has_not_changed_is_not_sent_again(self):
        _, first, _ = self.get("/app.js")
        self.assertEqual(first["cache-control"], "no-cache")
        for known in [first["etag"], f"W/{first['etag']}", f'"other", {first["etag"]}']:
            status, headers, body = self.get("/app.js", f"If-None-Match: {known}")
            self.assertEqual((status, headers["etag"], headers["cache-control"], body), (304, first["etag"], "no-cache", ""))
            self.assertNotIn("content-type", headers)
        self.assertEqual(self.get("/app.js", 'If-None-Match: "other"')[0], 200)
        self.assertNotEqual(self.get("/app.css")[1]["etag"], first["etag"])

    def test_a_file_is_only_to_be_read(self):
        status, headers, body = self.ask("HEAD", "/app.js")
        self.assertEqual((status, headers["content-length"], body), (200, str(len(FILES["app.js"])), ""))
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]:
            with self.subTest(method):
                answer = self.ask(method, "/app.js", "Content-Length: 0")
                self.assert_problem(answer, "method-not-allowed", "/app.js")
                self.assertEqual((answer[0], answer[1]["allow"]), (405, "GET, HEAD"))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_file_that_cannot_be_served_is_an_error(self):
        for name, size, message in [
            ("README.md", 1, "must end in one of .css, .html"),
            ("a b.js", 1, "must be of letters"),
            ("big.js", web_app.MAX_BYTES + 1, "a file may have 262144"),
        ]:
            with self.subTest(name):
                (self.folder / name).write_bytes(b"a" * size)
                with self.assertRaisesRegex(web_app.BadFile, message):
                    web_app.routes(self.folder)
                (self.folder / name).unlink()

    def test_without_a_folder_there_is_no_app(self):
        self.assertEqual(web_app.routes(self.folder / "nowhere"), [])

    def test_the_app_of_this_repository_can_be_served(self):
        addresses = {route["match"].get("path") for route in web_app.routes(ROOT / "deploy/web-app")}
        self.assertLessEqual({"/", "/main.js", "/app.css"}, addresses)


if __name__ == "__main__":
    unittest.main()
