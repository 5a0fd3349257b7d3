# SPDX-License-Identifier: Apache-2.0
"""A throw-away certificate authority for tests over TLS. Needs ``cryptography``, as the ``signatures`` extra does."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from functools import cached_property
from pathlib import Path
from typing import Any


class Authority:
    """Certificates of its own making, as PEM files in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def cafile(self) -> str:
        """What a client has to trust."""
        return self._write('authority', self._certificate)

    @cached_property
    def server(self) -> str:
        """Certificate and key of 127.0.0.1."""
        return self._issue('server')

    @cached_property
    def client(self) -> str:
        """Certificate and key of a client."""
        return self._issue('client')

    def tls(self, *, asks_clients: bool = False) -> ssl.SSLContext:
        """What a server on 127.0.0.1 speaks; with ``asks_clients`` only with clients of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        if asks_clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.cafile)
        return context

    @cached_property
    def _key(self) -> Any:
        return _new_key()

    @cached_property
    def _certificate(self) -> Any:
        return _certificate('authority', self._key, self._key, None)

    def _issue(self, name: str) -> str:
        key = _new_key()
        return self._write(name, _certificate(name, key, self._key, self._certificate.subject), key)

    def _write(self, name: str, certificate: Any, key: Any = None) -> str:
        from cryptography.hazmat.primitives import serialization as form

        text = certificate.public_bytes(form.Encoding.PEM)
        if key is not None:
            text += key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        path = self._directory / f'{name}.pem'
        path.write_bytes(text)
        return str(path)


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _certificate(name: str, key: Any, signer: Any, issuer: Any) -> Any:
    """A certificate for ``key`` by ``signer``; without ``issuer`` the authority's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    loopback = x509.IPAddress(ipaddress.ip_address('127.0.0.1'))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    return builder.sign(signer, hashes.SHA256())
