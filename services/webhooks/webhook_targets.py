"""Where a webhook may go: public addresses only, so that nobody reaches our own house through us.

A name is resolved once for each try, every address it has is judged, and the connection goes to an
address that was judged (reference trust.md, N-06). In development an endpoint may also be on this
machine, by http, so that somebody can try one; nothing is told over a network in the clear.
"""

import re
from ipaddress import IPv4Address, ip_address, ip_network

from yarl import URL

from services.errors import Invalid

LONGEST = 2000
_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,62}\.?"
)
_PLAIN = re.compile(r"[\x21-\x7e]+")

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_HERE = _LOOPBACK | {"localhost"}
# Beside what `is_global` refuses: relays, and what is set aside inside the global range.
_REFUSED_V4 = tuple(map(ip_network, ("192.88.99.0/24", "224.0.0.0/3", "192.0.0.0/24")))
_UNICAST_V6 = ip_network("2000::/3")
# Teredo and other protocol addresses, documentation, 6to4: all may hide an IPv4 address.
_REFUSED_V6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def is_public(address: str) -> bool:
    """Whether this IP address is one of the open internet.

    Refused are private, loopback, link-local, shared (CGNAT), multicast, unspecified and reserved
    ones, and every IPv6 form that carries an IPv4 address (mapped, compatible, NAT64, 6to4 and so
    on).
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return found.is_global and not any(found in net for net in _REFUSED_V4)
    return (
        found.scope_id is None
        and found in _UNICAST_V6
        and found.is_global
        and not any(found in net for net in _REFUSED_V6)
    )


def is_here_or_public(address: str) -> bool:
    """Whether this IP address is this machine's own loopback, or one of the open internet."""
    return address in _LOOPBACK or is_public(address)


def checked_url(text: str, *, development: bool = False) -> str:
    """Return a URL a webhook may be told at; Invalid for any other.

    The host is a full name, or a public IP address in its ordinary spelling: numbers in disguise
    (0x7f.1, 2130706433, 127.1) are refused. In `development` it may also be this machine's
    loopback, by http and by its plain name alone.
    """
    if len(text) > LONGEST or not _PLAIN.fullmatch(text) or "\\" in text:
        raise _invalid("is too long, or holds a character that no web address has")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError:
        raise _invalid("is no web address") from None
    here = development and url.scheme == "http"
    if url.scheme != "https" and not here:
        raise _invalid("must begin with https://")
    if url.user is not None or url.password is not None or url.fragment or "@" in url.authority:
        raise _invalid("may hold no user name, password or fragment")
    if here and host not in _HERE:
        told = "must begin with https://; http is for this machine alone, as http://127.0.0.1:9000/"
        raise _invalid(told)
    if not host or not port or not (here or _is_host(host)):
        raise _invalid("must name a host of the public internet")
    return str(url)


def is_literal(host: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_host(host: str) -> bool:
    if is_literal(host):
        return is_public(host)
    return bool(_NAME.fullmatch(host.lower())) and not host.lower().rstrip(".").endswith(
        (".localhost", ".local", ".internal", ".home.arpa")
    )


def _invalid(what: str) -> Invalid:
    return Invalid(f"The address {what}.", place="url")
