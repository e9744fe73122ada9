"""Signs a user in as a browser would, and keeps the session cookie: web-bff, the provider's page, and back."""

import contextlib
import http.client
import ssl
from urllib.parse import urlencode, urljoin, urlsplit

LOGIN_COOKIE = "-login-"


class NotSignedIn(Exception):
    """Why, in one line."""


def session_cookie(web, user_id, places=None, authority=None):
    """The `name=value` of the session that `user_id` gets at web-bff, whose public URL is `web`.

    `places` says where hosts really listen, {"id.example:443": "127.0.0.1:3007"}; `authority` is a file with whom to trust.
    """
    browser = Browser(places or {}, authority)
    provider_page = browser.follow("GET", f"{web}/auth/login?returnTo=/", "web-bff")
    callback = browser.follow("POST", provider_page, "the identity provider", urlencode({"user_id": user_id}))
    browser.follow("GET", callback, "web-bff")
    cookies = browser.cookies.get(urlsplit(web).netloc, {})
    sessions = [f"{name}={value}" for name, value in cookies.items() if LOGIN_COOKIE not in name]
    if not sessions:
        raise NotSignedIn(f"web-bff has set no session cookie for {user_id!r}")
    return "; ".join(sessions)


class Browser:
    """Goes where it is told and keeps each host's cookies."""

    def __init__(self, places, authority):
        self.places = places
        self.authority = authority
        self.cookies = {}

    def follow(self, method, url, who, form=None):
        """Asks for `url`, which must lead elsewhere: the URL of there."""
        status, location = self.ask(method, url, form)
        if status not in (302, 303) or not location:
            raise NotSignedIn(f"{who} answered {status} to {method} {url.partition('?')[0]}, not with a redirection")
        return urljoin(url, location)

    def ask(self, method, url, form):
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, "Accept": "text/html"}
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{parts.scheme}://{parts.netloc}"}
        if cookies := self.cookies.get(parts.netloc):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            with contextlib.closing(connect(url, self.places, self.authority)) as connection:
                connection.request(method, path, form, headers)
                answer = connection.getresponse()
                answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotSignedIn(f"{parts.scheme}://{parts.netloc} does not answer: {error}") from None
        self.keep(parts.netloc, answer.headers.get_all("Set-Cookie", []))
        return answer.status, answer.headers["Location"]

    def keep(self, host, lines):
        for line in lines:
            pair, *attributes = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            if not value or "max-age=0" in (attribute.lower() for attribute in attributes):
                self.cookies.get(host, {}).pop(name, None)
            else:
                self.cookies.setdefault(host, {})[name] = value


def connect(url, places=None, authority=None):
    """A connection to the host of a URL, wherever that listens."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    place, _, port = (places or {}).get(f"{parts.hostname}:{port}", f"{parts.hostname}:{port}").rpartition(":")
    connection = http.client.HTTPConnection(place, int(port), timeout=15)
    if parts.scheme == "https":
        connection.connect()
        context = ssl.create_default_context(cafile=authority)
        connection.sock = context.wrap_socket(connection.sock, server_hostname=parts.hostname)
    return connection
