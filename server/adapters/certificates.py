"""The certificate of the TLS listener: the installer's own, or one of a local authority that is
made here and renewed by itself."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.adapters.clock import system_now
from server.settings import UserError

AUTHORITY_LASTS = timedelta(days=3652)
LEAF_LASTS = timedelta(days=397)
"""Phones refuse a longer one."""
RENEW_BEFORE = timedelta(days=30)
EARLIER = timedelta(days=1)
"""A phone whose clock is behind still finds it begun."""


class Pair(NamedTuple):
    """A certificate, with what it is signed by behind it, and its key; PEM files."""

    certificate: Path
    key: Path


class Authority(NamedTuple):
    """The local authority as phones install it."""

    der: bytes
    fingerprint: str
    """SHA-256 in pairs of hex digits, as phones show it."""


class LocalAuthority:
    """Makes and keeps an authority and one certificate in the folder of the keys, mode 0600."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = Pair(folder / "tls-ca.crt", folder / "tls-ca.key")
        self._leaf = Pair(folder / "tls.crt", folder / "tls.key")

    def ensure(self, names: Sequence[str]) -> Pair:
        """A certificate for all these names and addresses that is good for 30 days at least: the
        one that is there, or a new one.

        Raises:
            UserError: `certificate_unwritable`.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._alone():
                now = system_now()
                authority, key = self._read(self._authority)
                if authority is None or key is None or _ends(authority) < now + LEAF_LASTS:
                    authority, key = self._make_authority(now)
                leaf, leaf_key = self._read(self._leaf)
                if leaf is None or leaf_key is None or not _serves(leaf, authority, names, now):
                    self._make_leaf(authority, key, names, now)
        except OSError as error:
            raise UserError(
                "certificate_unwritable",
                f"The certificate cannot be kept in {self._folder}: {error.strerror}.",
                "Give this user the right to write there, or name a certificate of your own"
                " with --tls-cert and --tls-key.",
            ) from None
        return self._leaf

    def authority(self) -> Authority | None:
        """What phones have to trust; None: nothing has been made here."""
        certificate, _ = self._read(self._authority)
        if certificate is None:
            return None
        return Authority(
            certificate.public_bytes(Encoding.DER),
            certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time makes anything."""
        descriptor = os.open(self._folder / "tls.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(
        self, pair: Pair
    ) -> tuple[x509.Certificate | None, ec.EllipticCurvePrivateKey | None]:
        """Certificate and key; None for both if either is missing or damaged, or they are not of
        one another."""
        try:
            certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
            key = load_pem_private_key(pair.key.read_bytes(), None)
        except (FileNotFoundError, ValueError):
            return None, None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            return None, None
        if certificate.public_key() != key.public_key():
            return None, None
        return certificate, key

    def _make_authority(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        name = _name(f"heatops {subject_key.digest.hex()[:8]}")
        certificate = (
            _begun(name, name, key.public_key(), now, AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(subject_key, critical=False)
            .sign(key, hashes.SHA256())
        )
        self._write(self._authority, [certificate], key)
        return certificate, key

    def _make_leaf(
        self,
        authority: x509.Certificate,
        signer: ec.EllipticCurvePrivateKey,
        names: Sequence[str],
        now: datetime,
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        served = sorted(set(names))
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        certificate = (
            _begun(_name("heatops"), authority.subject, key.public_key(), now, LEAF_LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_general(name) for name in served]), critical=False
            )
            .add_extension(issuer_key, critical=False)
            .sign(signer, hashes.SHA256())
        )
        self._write(self._leaf, [certificate, authority], key)

    def _write(
        self, pair: Pair, chain: Sequence[x509.Certificate], key: ec.EllipticCurvePrivateKey
    ) -> None:
        """Each file whole or not at all; a pair that a crash tore apart is made anew."""
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _replace(pair.key, pem)
        _replace(pair.certificate, b"".join(c.public_bytes(Encoding.PEM) for c in chain))


def given(certificate: str, key: str) -> Pair:
    """The installer's own files.

    Raises:
        UserError: `certificate_unusable`.
    """
    pair = Pair(Path(certificate), Path(key))
    load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)
    return pair


def load(context: ssl.SSLContext, pair: Pair) -> None:
    """From now on the context's new connections get this certificate.

    Raises:
        UserError: `certificate_unusable`.
    """
    try:
        context.load_cert_chain(pair.certificate, pair.key, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            "certificate_unusable",
            f"The certificate {pair.certificate} with the key {pair.key} cannot be used: {reason}.",
            "Give a PEM file with the whole chain and its key without a password.",
        ) from None


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lasts: timedelta,
) -> x509.CertificateBuilder:
    begins = now - EARLIER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _ends(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc


def _serves(
    leaf: x509.Certificate, authority: x509.Certificate, names: Sequence[str], now: datetime
) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    known = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return _ends(leaf) > now + RENEW_BEFORE and {_general(name) for name in names} <= set(known)


def _replace(target: Path, body: bytes) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
