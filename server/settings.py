"""What an installation may choose, read once from the environment and the command line."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8700
DEFAULT_TLS_PORT = 8443
LOG_LEVELS = ("debug", "info", "warning", "error")
_FALSE = frozenset({"0", "false", "no", "off"})
_TRUE = frozenset({"1", "true", "yes", "on"})


class UserError(Exception):
    """A failure the user can do something about: shown as one sentence and what to do, never as a
    stack trace."""

    def __init__(self, code: str, message: str, what_to_do: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.what_to_do = what_to_do
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the processes of one installation are told; the same in each of them."""

    data: Path
    """Folder of the embedded engines, keys, cities and logs."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    database_url: str | None = None
    """Owner's DSN of a PostgreSQL that somebody else runs; None: the embedded one."""
    redis_url: str | None = None
    demo: bool = True
    web_workers: int = 1
    gcj02: bool = False
    """Take coordinates in GCJ-02 and BD-09, by their exact inverse. Inverting GCJ-02 may be
    restricted in mainland China: the installer decides."""
    log_level: str = "warning"
    """What the processes say on standard error: debug, info, warning or error."""
    engine_host: str | None = None
    """Where the leading core's engine listens for web processes of other machines; None: a socket
    in the data folder, for those of this one."""
    photos_url: str | None = None
    """Store of photos that speaks S3, e.g. s3://bucket/folder; None: files in the data folder."""
    listen_fd: int | None = None
    """A listening socket inherited from `up`; None: bind host and port."""
    tls: bool = True
    """`up` listens over TLS too: phones give camera and position to secure pages only."""
    tls_port: int = DEFAULT_TLS_PORT
    tls_cert: str | None = None
    """The installer's own certificate and key, PEM files; None: those of a local authority."""
    tls_key: str | None = None
    tls_names: tuple[str, ...] = ()
    """Names and addresses by which phones reach this machine, beside those it knows itself."""
    speaks_tls: bool = False
    """This web process answers over TLS."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and -Proto are believed."""

    @property
    def keys(self) -> Path:
        """Folder of the secrets: 0700, files 0600, owned by the running user."""
        return self.data / "keys"

    def with_engines(self, database_url: str, redis_url: str) -> Settings:
        """The same settings with the engines' addresses filled in."""
        return replace(self, database_url=database_url, redis_url=redis_url)


def default_data() -> Path:
    """./var of the checkout; as root /var/lib/heatops/<hash of the checkout's path>, which the
    account that runs the engines can reach even when the checkout lies in a private home."""
    if os.geteuid() != 0:
        return CHECKOUT / "var"
    digest = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return Path("/var/lib/heatops") / digest


def from_env(**chosen: str | int | tuple[str, ...] | None) -> Settings:
    """Settings from HEATOPS_* variables; `chosen` (the command line) wins where it is not None.

    Raises:
        UserError: `bad_setting`, a variable holds a value that cannot be meant.
    """
    env = os.environ
    data = env.get("HEATOPS_DATA")
    values: dict[str, Any] = {
        "data": Path(data).expanduser().absolute() if data else default_data(),
        "host": env.get("HEATOPS_HOST") or None,
        "port": _number("HEATOPS_PORT", env.get("HEATOPS_PORT"), 0, 65535),
        "database_url": env.get("HEATOPS_DATABASE_URL") or None,
        "redis_url": env.get("HEATOPS_REDIS_URL") or None,
        "demo": _flag("HEATOPS_DEMO", env.get("HEATOPS_DEMO")),
        "gcj02": _flag("HEATOPS_GCJ02", env.get("HEATOPS_GCJ02")),
        "photos_url": env.get("HEATOPS_PHOTOS_URL") or None,
        "engine_host": env.get("HEATOPS_ENGINE_HOST") or None,
        "log_level": _level("HEATOPS_LOG", env.get("HEATOPS_LOG")),
        "web_workers": _number("HEATOPS_WEB_WORKERS", env.get("HEATOPS_WEB_WORKERS"), 1, 64),
        "tls": _flag("HEATOPS_TLS", env.get("HEATOPS_TLS")),
        "tls_port": _number("HEATOPS_TLS_PORT", env.get("HEATOPS_TLS_PORT"), 0, 65535),
        "tls_cert": env.get("HEATOPS_TLS_CERT") or None,
        "tls_key": env.get("HEATOPS_TLS_KEY") or None,
        "tls_names": _listed(env.get("HEATOPS_TLS_NAMES")),
        "trusted_proxies": _networks("HEATOPS_TRUSTED_PROXIES", env.get("HEATOPS_TRUSTED_PROXIES")),
    }
    values.update({name: value for name, value in chosen.items() if value is not None})
    settings = Settings(**{name: value for name, value in values.items() if value is not None})
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise UserError(
            "bad_setting",
            "Of the certificate and its key only one is given.",
            "Give both, --tls-cert and --tls-key, or neither.",
            exit_code=2,
        )
    return settings


def _listed(text: str | None) -> tuple[str, ...] | None:
    """What stands between commas; None for nothing."""
    return tuple(filter(None, map(str.strip, (text or "").split(",")))) or None


def _networks(name: str, text: str | None) -> tuple[str, ...] | None:
    listed = _listed(text)
    for network in listed or ():
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise UserError(
                "bad_setting",
                f"{name} names {network!r}.",
                "Give addresses or networks with commas between them, e.g. 10.0.0.5, 10.1.0.0/16.",
                exit_code=2,
            ) from None
    return listed


def _number(name: str, text: str | None, low: int, high: int) -> int | None:
    if not text:
        return None
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise UserError(
        "bad_setting",
        f"{name} is {text!r}.",
        f"Give a whole number from {low} to {high}.",
        exit_code=2,
    )


def _level(name: str, text: str | None) -> str | None:
    if not text:
        return None
    if text.lower() in LOG_LEVELS:
        return text.lower()
    raise UserError(
        "bad_setting", f"{name} is {text!r}.", f"Give one of {', '.join(LOG_LEVELS)}.", exit_code=2
    )


def _flag(name: str, text: str | None) -> bool | None:
    if not text:
        return None
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise UserError("bad_setting", f"{name} is {text!r}.", "Give yes or no.", exit_code=2)
