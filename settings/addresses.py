"""To which addresses a webhook may lead: those of the internet, and this machine's own where the URL names it so.

A URL is checked when the settings are read, and the addresses of its name every time that it is connected to: a name
may lead to the network inside, today or later.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_ENDS_IN_A_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.ASCII).search


def problem_of(url: str) -> str | None:
    """Why nothing may be sent there; None when nothing speaks against it. Names no more of the URL than its host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is none"
    if parts.scheme.lower() not in ("http", "https"):
        return "begins with neither https:// nor http://"
    if not host or any(character.isspace() or not character.isprintable() for character in url):
        return "is none"
    if parts.username is not None or parts.password is not None:
        return f"has a user name or a password before {host!r}"
    if parts.fragment:
        return f"has a fragment behind {host!r}"
    host = as_resolved(host)
    if is_loopback_host(host):
        return None
    literal = literal_address(host)
    if literal is None and (_ENDS_IN_A_NUMBER(host) or "%" in host):
        return f"has the host {host!r}, which is neither a name nor an address as it is usually written (192.0.2.1)"
    if literal is not None and not is_public(literal):
        return f"leads to {host}, which is no address of the internet"
    return None if parts.scheme.lower() == "https" else f"is http, and {host!r} is not this machine"


def as_resolved(host: str) -> str:
    """The host with the letters, digits and dots that other forms of them, as full-width ones, are taken for (IDNA)."""
    return unicodedata.normalize("NFKC", host.translate(_DOTS)).lower()


def literal_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback_host(host: str) -> bool:
    """Whether the URL itself says that it means this machine."""
    literal = literal_address(host)
    return host.lower().rstrip(".") == "localhost" if literal is None else is_loopback(literal)


def is_loopback(address: Address) -> bool:
    return _innermost(address).is_loopback


def is_public(address: Address) -> bool:
    inner = _innermost(address)
    return inner.is_global and not inner.is_multicast and not inner.is_reserved and not inner.is_unspecified


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries along: packets end there."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if carried is None and address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return carried or address
    return address


def may_connect(host: str, address: str) -> bool:
    """Whether a connection to ``address``, which is one of the name ``host``, may be made."""
    found = literal_address(address.partition("%")[0])
    if found is None:
        return False
    return is_loopback(found) if is_loopback_host(host) else is_public(found)
