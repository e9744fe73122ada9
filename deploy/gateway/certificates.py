"""The certificate of the TLS listener, which Envoy reads anew whenever its folder changes.

Envoy follows files only for a secret that another file names: that file is the pointer.
"""

import json

SECRET = "edge"


def pointer(certificate, key):
    """The text of the pointer. What is moved into the certificate's folder, as a whole, is noticed."""
    secret = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": SECRET,
        "tls_certificate": {
            "certificate_chain": {"filename": str(certificate)},
            "private_key": {"filename": str(key)},
            "watched_directory": {"path": str(certificate.parent)},
        },
    }
    return json.dumps({"resources": [secret]}, indent=2) + "\n"


def followed(path):
    """The `tls_certificate_sds_secret_configs` that lead to the pointer at `path`."""
    source = {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
    return [{"name": SECRET, "sds_config": source}]
