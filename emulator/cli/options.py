"""Options: what their values may be, and where a wrong one is told.

A wrong value doesn't end the reading of the command line: it is written down, and the command, before
it does anything, refuses with all of them at once.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

_MISTAKES = "emulator.mistakes"
Command = TypeVar("Command", bound=Callable[..., Any])


class Refused(click.ClickException):
    """The command can't do what it was told. Every reason is a line of its own, or several."""

    exit_code = 2

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons

    def show(self, file: Any = None) -> None:
        """Print every reason to stderr."""
        for reason in self.reasons:
            click.echo(f"Error: {reason}", file=file, err=file is None)


if TYPE_CHECKING:
    Type = click.ParamType[Any]
else:
    # Before its version 8.4 click's type took no parameter.
    Type = click.ParamType


class Value(Type):
    """What an option takes: a text that ``parse`` understands, or refuses with a ``ValueError`` that says why."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value, understood; ``None`` for a wrong one, which is written down."""
        if not isinstance(value, str) or param is None or ctx is None:
            return value
        if _is_of_kubernetes(value, param, ctx):
            return self._parse(str(param.get_default(ctx)))
        try:
            return self._parse(value)
        except (ValueError, OverflowError) as problem:
            mistakes(ctx).append(f"{named(ctx, str(param.name))}: {problem}")
            return None


class Values(Value):
    """What an option takes that may be given again; its variable holds them parted by commas or spaces."""

    def split_envvar_value(self, rv: str) -> list[str]:
        """The values in a variable."""
        return [part for part in re.split(r"[,\s]+", rv) if part]


def mistakes(ctx: click.Context) -> list[str]:
    """What is wrong with the options read so far. Whoever finds more adds it."""
    found: list[str] = ctx.meta.setdefault(_MISTAKES, [])
    return found


def refuse_mistakes(ctx: click.Context) -> None:
    """Raise `Refused` where an option has a wrong value."""
    if mistakes(ctx):
        raise Refused(mistakes(ctx))


def is_from_environment(ctx: click.Context, name: str) -> bool:
    """Whether the parameter's value came from its variable."""
    return ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT


def named(ctx: click.Context, name: str) -> str:
    """The option of this name or, where that is where its value came from, its variable."""
    param = next(param for param in ctx.command.params if param.name == name)
    return str(param.envvar) if is_from_environment(ctx, name) else param.opts[0]


def _is_of_kubernetes(value: str, param: click.Parameter, ctx: click.Context) -> bool:
    # In a cluster with a Service called video-emulator every container gets VIDEO_EMULATOR_PORT=tcp://...;
    # that is not meant for us.
    return param.name == "port" and value.startswith("tcp://") and is_from_environment(ctx, "port")


def setting(flag: str, value: Type, about: str, **more: Any) -> Callable[[Command], Command]:
    """An option that the variable ``VIDEO_EMULATOR_*`` of the same name sets too."""
    variable = "VIDEO_EMULATOR_" + flag.removeprefix("--").upper().replace("-", "_")
    return click.option(flag, type=value, help=about, envvar=variable, show_envvar=True, **more)


# What values may be


def _whole(text: str, low: int, high: int, wanted: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise ValueError(f"expected {wanted}, got {text!r}")
    return int(text)


def _port(text: str) -> int:
    return _whole(text, 0, 65535, "a port from 1 to 65535, or 0 for a free one")


def _count(text: str) -> int:
    return _whole(text, 1, 10**12, "a whole number of 1 or more")


def _host(text: str) -> str:
    host = text.removeprefix("[").removesuffix("]")
    if re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?", host):
        return host
    wanted = "an address or a host name such as 127.0.0.1 or localhost"
    raise ValueError(f"expected {wanted}, got {text!r}; the port goes to --port")


def _clock(text: str) -> tuple[str, float]:
    wanted = f"expected real, scaled:60, manual or auto, got {text!r}"
    mode, colon, scale = text.partition(":")
    if mode == "scaled" and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", scale):
        if 0 < float(scale) <= 100_000:
            return mode, float(scale)
        raise ValueError(f"{wanted}; the scale is a number above 0 and at most 100,000")
    if mode == "scaled":
        raise ValueError(f"{wanted}; with scaled:60 an hour passes in a minute")
    if mode not in {"real", "manual", "auto"} or colon:
        raise ValueError(wanted)
    return mode, 1.0


def _instant(text: str) -> int:
    from emulator.core.units import parse_instant  # noqa: PLC0415 - most commands need none

    instant = parse_instant(text)
    # What a scenario's own clock may begin with: far from where dates and their arithmetic end.
    if not parse_instant("2000-01-01T00:00:00Z") <= instant < parse_instant("2100-01-01T00:00:00Z"):
        wanted = "an instant in the years 2000 to 2099, such as 2025-01-01T00:00:00Z"
        raise ValueError(f"expected {wanted}, got {text!r}")
    return instant


def _duration(text: str) -> int:
    from emulator.core.units import parse_duration  # noqa: PLC0415 - most commands need none

    duration = parse_duration(text)
    if not 0 < duration <= _LONGEST:
        raise ValueError(f"expected a duration above zero and at most 1000d, such as 2s, got {text!r}")
    return duration


_LONGEST = 1000 * 24 * 60 * 60 * 1_000_000


_UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
_SMALLEST, _LARGEST = 64 << 10, 1 << 40


def _size(text: str) -> int:
    wanted = f"expected a size such as 64MiB, got {text!r}"
    fitting = re.fullmatch(r"([0-9]{1,15})\s*([A-Za-z]*)", text)
    if fitting is None:
        raise ValueError(wanted)
    if not fitting[2]:
        raise ValueError(f"{wanted}; a unit is missing: {', '.join(_UNITS)}")
    if fitting[2] not in _UNITS:
        raise ValueError(f"{wanted}; the units are {', '.join(_UNITS)}")
    size = int(fitting[1]) * _UNITS[fitting[2]]
    if not _SMALLEST <= size <= _LARGEST:
        raise ValueError(f"{wanted}; it lies between 64KiB and 1024GiB")
    return size


_SHORTEST_TOKEN = 8


def _token(text: str) -> str:
    # What is wrong with a secret is told without the secret.
    wanted = f"expected {_SHORTEST_TOKEN} or more letters, digits and signs of ASCII"
    if re.search(r"[^!-~]", text):
        raise ValueError(f"{wanted}, got a text with a space or another character that no header can hold")
    if len(text) < _SHORTEST_TOKEN:
        raise ValueError(f"{wanted}, got {len(text)}")
    return text


def _host_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", text):
        return text.rstrip(".").lower()
    wanted = "expected a host name such as emulator.example, without scheme, port or wildcard"
    raise ValueError(f"{wanted}, got {text!r}")


def _callback_host(text: str) -> str:
    import ipaddress  # noqa: PLC0415 - most commands need none

    host = text.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return _host_name(text)
    except ValueError:
        wanted = "expected a host such as hooks.example or 192.0.2.7, without scheme, port or wildcard"
        raise ValueError(f"{wanted}, got {text!r}") from None


def _grace(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise ValueError(f"expected a number of seconds such as 1 or 0.5, got {text!r}")
    return float(text)


def _seed(text: str) -> int | str:
    if not text:
        raise ValueError("expected a number or a text, got nothing")
    # A longer number stays a text: JSON, in which a template may print it, has no larger ones.
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


_PUBLIC_URL = r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?((?:/[A-Za-z0-9._~-]+)*)/?"


def public_url(text: str) -> str:
    """Scheme, host and, for an emulator behind a proxy, a plain prefix of the path; without a slash at the end.

    Raises:
        ValueError: it isn't that.
    """
    wanted = f"expected a URL such as https://emulator.example:8443, got {text!r}"
    if re.match(r"https?://", text) is None:
        raise ValueError(f"{wanted}; it begins with http:// or https://")
    if re.search(r"[?#@]", text):
        raise ValueError(f"{wanted}; a user, a query or a fragment can't stand in it")
    fitting = re.fullmatch(_PUBLIC_URL, text)
    if fitting is None or (fitting[2] and not 0 < int(fitting[2][1:]) <= 65535):
        raise ValueError(wanted)
    return text.rstrip("/")


def provider_url(text: str) -> str:
    """As `public_url`, for a provider's. What is wrong isn't printed back: people paste URLs that have a key in them.

    Raises:
        ValueError: it isn't that.
    """
    try:
        return public_url(text)
    except ValueError:
        wanted = "expected a URL such as https://octopusx.ai or http://127.0.0.1:8080/octopusx"
        raise ValueError(f"{wanted}, without user, query and fragment") from None


def one_of(*words: str) -> Callable[[str], str]:
    """A parser that takes these words alone."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected {', '.join(words[:-1])} or {words[-1]}, got {text!r}")
        return text

    return parse


def _text(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError(f"expected a name, got {text!r}" if text else "expected a name, got nothing")
    return text


def _file(text: str) -> str:
    from pathlib import Path  # noqa: PLC0415 - most commands need none

    try:
        with Path(text).open("rb"):
            return text
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ValueError(f"expected a file that can be read, got {text!r}: {reason}") from None


PORT = Value("port", _port)
COUNT = Value("count", _count)
HOST = Value("host", _host)
CLOCK = Value("clock", _clock)
INSTANT = Value("instant", _instant)
DURATION = Value("duration", _duration)
SIZE = Value("size", _size)
TOKEN = Value("token", _token)
HOST_NAMES = Values("host", _host_name)
CALLBACK_HOSTS = Values("host", _callback_host)
GRACE = Value("seconds", _grace)
SEED = Value("seed", _seed)
PUBLIC_URL = Value("url", public_url)
PROVIDER_URL = Value("url", provider_url)
TEXT = Value("text", _text)
FILE = Value("file", _file)
PROFILE = Value("profile", one_of("documented", "current"))
ROOT_PROVIDER = Value("provider", one_of("octopusx", "ezmodel"))
PROVIDER = Value("provider", one_of("acedata-sora", "acedata-veo", "octopusx", "ezmodel"))
