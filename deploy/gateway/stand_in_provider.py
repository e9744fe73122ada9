"""A stand-in identity provider for the tests of the gateway: it has a key, publishes it, and signs what it is told to."""

import base64
import http.server
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path


class StandInProvider(http.server.ThreadingHTTPServer):
    """Answers every GET with its keys, once `open` is set: until then it accepts connections and says nothing.

    It signs with Ed25519, as the demo's provider does, or with RSA, as most do.
    """

    daemon_threads = True

    def __init__(self, folder, address=("127.0.0.1", 0), issuer="http://127.0.0.1:3007", tls=None, algorithm="EdDSA"):
        super().__init__(address, Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.issuer = issuer
        self.algorithm = algorithm
        self.open = threading.Event()
        self.open.set()
        self.hosts = []
        self.key = Path(folder, f"key-{self.server_address[1]}.pem")
        kind = ["ed25519"] if algorithm == "EdDSA" else ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        openssl("genpkey", "-algorithm", *kind, "-out", self.key)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.open.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """One who asked and left is no error."""

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server_address[1]

    def jwks(self):
        key = {"alg": self.algorithm, "use": "sig", "kid": "k1"}
        if self.algorithm == "EdDSA":
            public = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:]
            return {"keys": [key | {"kty": "OKP", "crv": "Ed25519", "x": encode(public)}]}
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        return {"keys": [key | {"kty": "RSA", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"}]}

    def sign(self, text):
        if self.algorithm == "RS256":
            return openssl("dgst", "-sha256", "-sign", self.key, data=text)
        with tempfile.NamedTemporaryFile() as file:  # it must know the length before it reads
            file.write(text)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", file.name)

    def token(self, subject, head=None, **claims):
        """An access token for mobile-bff, signed, that says this; a claim that is None is left out."""
        head = head or {"alg": self.algorithm, "typ": "at+jwt", "kid": "k1"}
        usual = {"iss": self.issuer, "sub": subject, "aud": "mobile-bff", "exp": int(time.time()) + 600}
        claims = {name: value for name, value in (usual | claims).items() if value is not None}
        text = f"{encode(json.dumps(head).encode())}.{encode(json.dumps(claims).encode())}"
        if head["alg"] == "none":
            return text + "."
        return f"{text}.{encode(self.sign(text.encode()))}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hosts.append(self.headers["host"])
        self.server.open.wait(60)
        body = json.dumps(self.server.jwks()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def openssl(*arguments, data=b""):
    command = ["openssl", *(str(argument) for argument in arguments)]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
