"""The certificate of the TLS listener: made, served, renewed, mended; and the installer's own."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from server.adapters import addresses_here, certificates
from server.adapters.certificates import LocalAuthority, Pair, given
from server.adapters.clock import system_now
from server.app.tls import Tls, certificate_of
from server.settings import Settings, UserError, from_env

NAMES = ["localhost", "heat.example.cn", "192.0.2.7", "2001:db8::7"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def leaf_of(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def authority_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "tls-ca.crt").read_bytes())


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    now: datetime = system_now() + by
    monkeypatch.setattr(certificates, "system_now", lambda: now)


def test_it_names_everything_and_lasts_no_longer_than_phones_take(folder: Path) -> None:
    leaf = leaf_of(LocalAuthority(folder).ensure(NAMES))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "heat.example.cn"}
    assert set(names.get_values_for_type(x509.IPAddress)) == {
        ipaddress.ip_address("192.0.2.7"),
        ipaddress.ip_address("2001:db8::7"),
    }
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    assert leaf.not_valid_before_utc < system_now()


def test_the_authority_lasts_ten_years_and_signs_nothing_that_signs(folder: Path) -> None:
    leaf = leaf_of(LocalAuthority(folder).ensure(NAMES))
    authority = authority_of(folder)
    leaf.verify_directly_issued_by(authority)
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.not_valid_after_utc > system_now() + timedelta(days=3600)


def test_nobody_else_reads_the_keys(folder: Path) -> None:
    LocalAuthority(folder).ensure(NAMES)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in folder.iterdir()} == {0o600}


def test_what_is_good_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = leaf_of(LocalAuthority(folder).ensure(NAMES))
    assert leaf_of(LocalAuthority(folder).ensure(NAMES[:2])) == first
    later(monkeypatch, timedelta(days=360))
    assert leaf_of(LocalAuthority(folder).ensure(NAMES)) == first


def test_it_is_renewed_a_month_before_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, authority = leaf_of(LocalAuthority(folder).ensure(NAMES)), authority_of(folder)
    later(monkeypatch, timedelta(days=367))
    second = leaf_of(LocalAuthority(folder).ensure(NAMES))
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert authority_of(folder) == authority, "phones need not install anything again"


def test_an_authority_that_would_end_first_is_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalAuthority(folder).ensure(NAMES)
    old = authority_of(folder)
    later(monkeypatch, timedelta(days=3400))
    leaf = leaf_of(LocalAuthority(folder).ensure(NAMES))
    assert authority_of(folder) != old
    leaf.verify_directly_issued_by(authority_of(folder))
    assert leaf.not_valid_after_utc <= authority_of(folder).not_valid_after_utc


def test_a_new_address_is_taken_in(folder: Path) -> None:
    authority = LocalAuthority(folder)
    before = leaf_of(authority.ensure(NAMES))
    after = leaf_of(authority.ensure([*NAMES, "198.51.100.4"]))
    assert after != before
    names = after.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("198.51.100.4") in names.get_values_for_type(x509.IPAddress)


@pytest.mark.parametrize("name", ["tls.crt", "tls.key", "tls-ca.crt", "tls-ca.key"])
@pytest.mark.parametrize("damage", ["gone", "empty", "rubbish", "another's"])
def test_damage_is_mended(folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    LocalAuthority(folder).ensure(NAMES)
    target = folder / name
    if damage == "another's":
        LocalAuthority(tmp_path / "other").ensure(NAMES)
        target.write_bytes((tmp_path / "other" / name).read_bytes())
    elif damage == "gone":
        target.unlink()
    else:
        target.write_bytes(b"" if damage == "empty" else b"-----BEGIN CERTIFICATE-----\n?")
    pair = LocalAuthority(folder).ensure(NAMES)
    given(str(pair.certificate), str(pair.key))
    leaf_of(pair).verify_directly_issued_by(authority_of(folder))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        LocalAuthority(tmp_path / "file").ensure(NAMES)
    assert caught.value.code == "certificate_unwritable"


def test_files_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    one = LocalAuthority(tmp_path / "one").ensure(NAMES)
    other = LocalAuthority(tmp_path / "other").ensure(NAMES)
    for certificate, key in (
        (one.certificate, other.key),
        (tmp_path / "nowhere", one.key),
        (one.key, one.key),
    ):
        with pytest.raises(UserError) as caught:
            given(str(certificate), str(key))
        assert caught.value.code == "certificate_unusable"
    assert given(str(one.certificate), str(one.key)) == one


def shown(context: ssl.SSLContext, authority: Path) -> bytes:
    """The certificate that a client which trusts the authority is shown, DER."""

    async def ask() -> bytes:
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            trusting = ssl.create_default_context(cafile=str(authority))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusting, server_hostname="localhost"
            )
            der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            await reader.read()
            writer.close()
            await writer.wait_closed()
        return der

    return asyncio.run(ask())


def test_a_running_listener_takes_a_new_certificate_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data=tmp_path)
    later(monkeypatch, timedelta(days=-380))
    tls = Tls(settings)
    authority = settings.keys / "tls-ca.crt"
    first = shown(tls.context, authority)
    assert tls.refresh() is False
    assert shown(tls.context, authority) == first
    later(monkeypatch, timedelta())
    assert tls.refresh() is True
    assert shown(tls.context, authority) != first


def test_own_files_are_taken_up_when_they_change_and_kept_when_they_are_bad(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "a")
    pair = certificate_of(settings)
    own = Settings(data=tmp_path / "b", tls_cert=str(pair.certificate), tls_key=str(pair.key))
    tls = Tls(own)
    authority = settings.keys / "tls-ca.crt"
    first = shown(tls.context, authority)
    good = pair.key.read_bytes()
    pair.key.write_text("half a key")
    with pytest.raises(UserError):
        tls.refresh()
    assert shown(tls.context, authority) == first
    pair.key.write_bytes(good)
    assert tls.refresh() is True
    assert not (own.keys / "tls-ca.crt").exists(), "no authority of ours beside their own files"


def test_every_way_to_this_machine_is_named(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, host="198.51.100.9", tls_names=("heat.example.cn",))
    leaf = leaf_of(certificate_of(settings))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    told = {str(name.value) for name in names}
    assert {"heat.example.cn", "198.51.100.9", "127.0.0.1", "::1", "localhost"} <= told
    assert set(addresses_here.addresses()) <= told
    host = socket.gethostname()
    assert not addresses_here.is_host_name(host) or host in told


def test_a_name_that_cannot_stand_in_a_url_is_refused(tmp_path: Path) -> None:
    for name in ("a b", "供热.cn", "-x", "a..b", "x" * 64, "https://heat.example.cn"):
        with pytest.raises(UserError) as caught:
            certificate_of(Settings(data=tmp_path, tls_names=(name,)))
        assert caught.value.code == "bad_setting", name


def test_the_kernels_list_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trie = (
        "           |-- 10.1.2.3\n              /32 host LOCAL\n           |-- 10.1.2.255\n"
        "              /32 link BROADCAST\n"
    )
    six = (
        "fe800000000000000000000000000001 02 40 20 80 eth0\n"
        "20010db8000000000000000000000005 02 40 00 80 eth0\n"
    )
    (tmp_path / "four").write_text(trie)
    (tmp_path / "six").write_text(six)
    monkeypatch.setattr(addresses_here, "FIB_TRIE", tmp_path / "four")
    monkeypatch.setattr(addresses_here, "IF_INET6", tmp_path / "six")
    found = addresses_here.addresses()
    assert {"10.1.2.3", "2001:db8::5", "127.0.0.1", "::1"} <= set(found)
    assert not {"10.1.2.255", "fe80::1"} & set(found)


def test_settings_of_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEATOPS_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16")
    monkeypatch.setenv("HEATOPS_TLS_NAMES", "a.example, b.example")
    read = from_env()
    assert read.trusted_proxies == ("10.0.0.5", "10.1.0.0/16")
    assert read.tls_names == ("a.example", "b.example")
    for wrong in ("*", "proxy.example", "10.0.0.5/8"):
        monkeypatch.setenv("HEATOPS_TRUSTED_PROXIES", wrong)
        with pytest.raises(UserError):
            from_env()
    monkeypatch.delenv("HEATOPS_TRUSTED_PROXIES")
    assert from_env().trusted_proxies == ()
    with pytest.raises(UserError):
        from_env(tls_cert="only.pem")
