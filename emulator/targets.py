"""Where callbacks may go: a client of the emulator must not be able to make it knock at any door it likes.

A name is resolved once, every address that it has is judged, and the connection is made to a judged one: a name that
is asked for again could have another address by then.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"http": 80, "https": 443}
_OURS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "::1/128",  # loopback
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "fc00::/7",  # RFC 4193, unique local
    )
)  # fmt: skip
_METADATA: Final = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192",
    )
)  # fmt: skip
"""Where clouds tell whoever asks from inside the keys of the machine: AWS, Google, Azure, Alibaba, Oracle."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A judged address of a callback's receiver."""

    url: str
    """As it was asked for."""
    host: str
    """The name or address in it."""
    addresses: tuple[str, ...]
    """All that it has, each of which may be connected to."""
    port: int


class Refused(Exception):
    """The emulator doesn't send there; the text says why, and what would help."""


class Unresolved(Exception):
    """The name has no address; the text says so."""


async def judged(url: str, allowed: Collection[str], own_ports: Collection[int]) -> Target:
    """The target of a callback.

    Args:
        url: as the client gave it.
        allowed: the hosts that ``--allow-callbacks`` names, in lower case.
        own_ports: where the emulator itself listens.

    Raises:
        Refused: it may not go there.
        Unresolved: there is no such name.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as problem:
        raise Refused(f"callback_url isn't a URL: {problem}") from None
    if parts.scheme not in _PORTS or not host:
        wanted = "expected a URL such as http://127.0.0.1:9000/hook"
        raise Refused(f"callback_url: {wanted}, got {url[:200]!r}")
    port = port or _PORTS[parts.scheme]
    addresses = await _resolved(host, port)
    for address in addresses:
        reason = _objection(address, host in allowed, port in own_ports)
        if reason is not None:
            where = host if host == str(address) else f"{host} ({address})"
            raise Refused(f"callbacks don't go to {where}: {reason}")
    return Target(url=url, host=host, addresses=tuple(map(str, addresses)), port=port)


async def _resolved(host: str, port: int) -> list[Address]:
    try:
        return [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise Unresolved(f"the name {host[:200]!r} in callback_url has no address: {reason}") from None
    # The sockaddr of either family begins with the address; a scope id may follow it.
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


def _objection(address: Address, is_allowed: bool, is_own_port: bool) -> str | None:
    """Why nothing is sent to an address; ``None``: it may be."""
    address = _unwrapped(address)
    if address in _METADATA:
        return "a cloud's metadata service is there, which nothing may be sent to"
    if address.is_unspecified or address.is_multicast or address.is_link_local or _is_broadcast(address):
        return "an unspecified, multicast, broadcast or link-local address is nobody's receiver"
    if is_own_port and _is_of_this_machine(address):
        return "the emulator itself listens there"
    if is_allowed or any(address in network for network in _OURS):
        return None
    return "it is no loopback or private address; serve with --allow-callbacks HOST to allow it"


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _is_broadcast(address: Address) -> bool:
    return str(address) == "255.255.255.255"


def _is_of_this_machine(address: Address) -> bool:
    """Whether a socket can be bound to it, which tells better than a list of interfaces."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((str(address), 0))
        except OSError:
            return False
    return True
