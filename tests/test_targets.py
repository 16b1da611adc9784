"""Where callbacks may go: every address of a name is judged, and what is dangerous is never allowed."""

import asyncio

import pytest

from emulator.targets import Refused, Target, Unresolved, judged

OWN = {8080}


def target(url: str, *allowed: str) -> Target:
    """The target of a callback from an emulator on port 8080."""
    return asyncio.run(judged(url, allowed, OWN))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "[fd12::1]",
    ],
)
def test_loopback_and_private_addresses_are_fine(host: str) -> None:
    """On any port but the emulator's own."""
    assert target(f"http://{host}:9000/hook").port == 9000
    assert target(f"https://{host}/hook").port == 443
    assert target(f"http://{host}/hook").port == 80


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "172.32.0.1", "192.169.0.1", "100.64.0.1", "[2001:db8::1]", "[::ffff:8.8.8.8]", "1.1.1.1"],
)
def test_others_need_leave(host: str) -> None:
    """The refusal says which option gives it."""
    with pytest.raises(Refused, match="--allow-callbacks HOST"):
        target(f"http://{host}:9000/")
    assert target(f"http://{host}:9000/", host.strip("[]")).addresses


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]", "169.254.1.1",
        "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]", "255.255.255.255",  # noqa: S104 - refused, not bound to
    ],
)  # fmt: skip
def test_some_are_never_sent_to(host: str) -> None:
    """Whatever is allowed: clouds' metadata, link-local, unspecified, multicast, broadcast."""
    with pytest.raises(Refused):
        target(f"http://{host}:9000/", host.strip("[]"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1.2.3"])
def test_the_emulator_itself_is_never_sent_to(host: str) -> None:
    """Under whichever of its addresses; another machine's port of that number is."""
    with pytest.raises(Refused, match="the emulator itself listens there"):
        target(f"http://{host}:8080/octopusx/v1/videos", host.strip("[]"))
    assert target("http://10.255.255.1:8080/").port == 8080


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://a:99999/",
        "http://[x/",
    ],
)
def test_what_is_no_address_is_told(url: str) -> None:
    """With what one looks like."""
    with pytest.raises(Refused, match="callback_url"):
        target(url)


def test_blanks_around_it_are_no_part_of_it() -> None:
    """People paste them along."""
    assert target("  http://127.0.0.1:9000/hook \n").url == "http://127.0.0.1:9000/hook"


def test_a_name_is_resolved_and_its_addresses_kept() -> None:
    """Nobody asks for it again."""
    found = target("http://localhost:9000/hook")
    assert found.host == "localhost"
    assert set(found.addresses) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("name", ["nowhere.invalid", f"{'a' * 70}.invalid"])
def test_a_name_without_an_address_is_told(name: str) -> None:
    """As trouble that another attempt may not have."""
    with pytest.raises(Unresolved, match="has no address"):
        target(f"http://{name}:9000/")
