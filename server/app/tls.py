"""The TLS of a web process: which certificate it shows, kept good while it runs."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from typing import NoReturn

from server.adapters.addresses_here import addresses, host_names, is_host_name
from server.adapters.certificates import LocalAuthority, Pair, given, load
from server.settings import Settings, UserError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
"""At the files and at this machine's names and addresses, which may change while it runs."""


def certificate_of(settings: Settings) -> Pair:
    """The installer's own certificate, else one of the local authority for every name and address.

    Raises:
        UserError: `certificate_unusable`, `certificate_unwritable`, `bad_setting`.
    """
    if settings.tls_cert and settings.tls_key:
        return given(settings.tls_cert, settings.tls_key)
    return LocalAuthority(settings.keys).ensure(_names(settings))


def _names(settings: Settings) -> list[str]:
    names = [*settings.tls_names, *host_names(), *addresses()]
    if settings.host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        names.append(settings.host)
    for name in names:
        if not _is_address(name) and not is_host_name(name):
            raise UserError(
                "bad_setting",
                f"{name!r} is no host name and no address.",
                "Give names as they stand in a URL, e.g. heat.example.cn; others in punycode.",
                exit_code=2,
            )
    return names


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Tls:
    """The context that a web process answers with."""

    def __init__(self, settings: Settings) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._settings = settings
        self._stamp: tuple[tuple[int, int], ...] = ()
        self.refresh()

    def refresh(self) -> bool:
        """Renew the certificate if it is time, and take up one that has changed: connections from
        now on get it, those that are open stay. True if it has changed.

        Raises:
            UserError: it cannot be used; the one before goes on.
        """
        pair = certificate_of(self._settings)
        stamp = tuple((s.st_mtime_ns, s.st_ino) for s in (file.stat() for file in pair))
        if stamp == self._stamp:
            return False
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)  # a bad pair would spoil the context
        load(self.context, pair)
        self._stamp = stamp
        return True

    async def keep(self) -> NoReturn:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await asyncio.to_thread(self.refresh)
            except (UserError, OSError) as error:
                log.error("the certificate is not renewed: %s", error)
