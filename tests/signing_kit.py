# SPDX-License-Identifier: Apache-2.0
"""Real keys and certificates, and a key manager of castellan that keeps them in memory."""

from __future__ import annotations

import base64
import contextlib
import datetime
import functools
import uuid
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from castellan import key_manager
from castellan.common.exception import ManagedObjectNotFoundError
from castellan.common.objects.x_509 import X509
from castellan.key_manager.key_manager import KeyManager
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from oslo_config import cfg

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class InMemory(KeyManager):
    """What castellan asks for certificates; nothing else of it is used."""

    held: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[str]] = []

    def __init__(self, configuration: Any) -> None:
        super().__init__(configuration)

    def get(self, context: Any, managed_object_id: str, metadata_only: bool = False) -> Any:
        self.asked.append(managed_object_id)
        if managed_object_id not in self.held:
            raise ManagedObjectNotFoundError(uuid=managed_object_id)
        return self.held[managed_object_id]

    def store(self, context: Any, managed_object: Any, expiration: Any = None) -> str:
        key = str(uuid.uuid4())
        self.held[key] = managed_object
        return key

    def _nothing(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    create_key = create_key_pair = delete = add_consumer = remove_consumer = list = _nothing


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """The key manager in memory, empty, is the one of the process."""
    cfg.CONF.register_opts(key_manager.key_manager_opts, group='key_manager')
    cfg.CONF.set_override('backend', f'{__name__}.InMemory', group='key_manager')
    InMemory.held.clear()
    InMemory.asked.clear()
    try:
        yield
    finally:
        cfg.CONF.clear_override('backend', group='key_manager')


@functools.cache
def _rsa_key(owner: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Party:
    """Somebody with a key and a certificate; the certificate is in the key manager under ``id``."""

    def __init__(
        self,
        name: str,
        issuer: Party | None = None,
        *,
        signs_others: bool = False,
        key: str = 'RSA-PSS',
        until: datetime.datetime = NOW + 30 * DAY,
    ) -> None:
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.key_type = key
        self.key: Any = _rsa_key(name) if key == 'RSA-PSS' else ec.generate_private_key(ec.SECP384R1())
        issuer = issuer or self
        usage = dict.fromkeys(
            ('digital_signature', 'content_commitment', 'key_encipherment', 'data_encipherment', 'key_agreement',
             'crl_sign', 'encipher_only', 'decipher_only'), False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 60 * DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=signs_others, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=signs_others, **usage), critical=True)
        )
        self.certificate = builder.sign(issuer.key, hashes.SHA256())
        encoded = self.certificate.public_bytes(serialization.Encoding.DER)
        self.id = InMemory(cfg.CONF).store(None, X509(encoded))

    def signed(self, data: bytes) -> dict[str, str]:
        """The properties of an image whose bytes this party signed."""
        if self.key_type == 'RSA-PSS':
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH)
            signature = self.key.sign(data, pss, hashes.SHA256())
        else:
            signature = self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return {
            'img_signature': base64.b64encode(signature).decode(),
            'img_signature_hash_method': 'SHA-256',
            'img_signature_key_type': self.key_type,
            'img_signature_certificate_uuid': self.id,
        }


@contextlib.contextmanager
def signer() -> Iterator[Callable[[bytes], dict[str, str]]]:
    """What signs bytes for the conformance suite, while its certificate can be had."""
    with in_use():
        yield Party('the publisher').signed
