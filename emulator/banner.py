"""What `serve` says once it listens: where everything is, and two commands to begin with."""

import json
import shlex
from collections.abc import Iterator
from typing import Final

import click
import msgspec

from emulator import __version__, endpoint, sample
from emulator.app import App
from emulator.core.units import SECOND, format_instant
from emulator.core.words import OperationName
from emulator.engine import Namespace, Settings
from emulator.exchanges import Request
from emulator.providers.base import Provider
from emulator.sample import Sample

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - shown, not listened on
_LONGEST_ABOUT: Final = 300
_PLACEHOLDER: Final = "TASK_ID"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens."""

    host: str
    port: int
    is_tls: bool = False

    @property
    def url(self) -> str:
        """How a client on this machine reaches it."""
        host = _EVERYWHERE.get(self.host, self.host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.is_tls else 'http'}://{shown}:{self.port}"


def text(app: App, place: Place) -> str:
    """The banner, with colours for a terminal."""
    namespace = app.namespace
    lines = [
        f"{_bold(f'video-emulator {__version__}')} serves on {_bold(place.url)}{_reach(place)}. Ctrl-C stops it.",
        "",
        *_facts(app, place),
        "",
        f"{_bold('Base URLs')}, for clients:",
        *_bases(app, place.url),
        "",
        *_commands(app, namespace, place),
    ]
    return "\n".join(lines)


def _bold(words: str) -> str:
    return click.style(words, bold=True)


def _reach(place: Place) -> str:
    return ", and on every other address of this machine" if place.host in _EVERYWHERE else ""


def _facts(app: App, place: Place) -> Iterator[str]:
    namespace = app.namespace
    scenario = namespace.active.scenario
    about = " ".join((scenario.about or "").split())
    if len(about) > _LONGEST_ABOUT:
        about = f"{about[:_LONGEST_ABOUT]}..."
    yield _fact("scenario", f"{scenario.name}{': ' if about else ''}{about}")
    if scenario.source is not None:
        yield _fact("", f"from {scenario.source}")
    if scenario.name == Settings().scenario:
        yield _fact("", "`video-emulator scenarios` lists others; --scenario NAME or FILE chooses one")
    yield _fact("clock", _clock(namespace))
    yield _fact("seed", str(namespace.seed))
    if app.options.public_url is not None:
        yield _fact("links", f"begin with {app.options.public_url}")
    yield _fact("control", f"{place.url}/__admin/health; openapi.json beside it describes the rest")
    if app.options.admin_token is not None:
        yield _fact("", "asks for the token of --admin-token")


def _fact(label: str, words: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in words)
    return f"  {label:<10} {printable}"


def _clock(namespace: Namespace) -> str:
    clock = namespace.clock
    now = clock.now()
    shown = format_instant(now if clock.mode in {"manual", "auto"} else now // SECOND * SECOND)
    match clock.mode:
        case "scaled":
            return f"scaled: {clock.scale:g} times as fast as real time, from {shown} on"
        case "manual":
            return f"manual: it stands at {shown} until PUT /__admin/clock or POST /__admin/clock/advance moves it"
        case "auto":
            return f"auto: it stands at {shown}, and polls move it to the next change"
    return "real" if namespace.settings.clock is None else f"real, from {shown} on"


def _bases(app: App, url: str) -> Iterator[str]:
    providers = app.namespace.providers
    bases = {provider.name: f"{url}{provider.base}{provider.client_path}" for provider in providers}
    width = max(map(len, bases.values()))
    for provider in providers:
        use = "base_url of openai's client" if provider.client_path else f"for {sample.create(provider).path}"
        yield f"  {provider.name:<13} {bases[provider.name]:<{width}}   {use}"


# Two commands


def _commands(app: App, namespace: Namespace, place: Place) -> Iterator[str]:
    provider, task_id = _existing(app)
    made = None if task_id else _first_id(namespace, provider)
    yield f"{_bold('Try it')}: create a task, then poll {'one that exists' if task_id else 'it'}."
    yield _curl(namespace, provider, sample.create(provider), place)
    yield _curl(namespace, provider, sample.poll(provider, task_id or made or _PLACEHOLDER), place)


def _existing(app: App) -> tuple[Provider, str | None]:
    """A task that exists already, the root provider's first; without one, just that provider."""
    namespace = app.namespace
    providers = sorted(namespace.providers, key=lambda provider: provider.name != app.options.root_provider)
    now = namespace.clock.now()
    for provider in providers:
        for item in namespace.active.scenario.items:
            if item.id is not None and namespace.find(provider, item.id, now) is not None:
                return provider, item.id
    return providers[0], None


def _first_id(namespace: Namespace, provider: Provider) -> str | None:
    """The id that the command's create will get when it is the first of its kind: a rehearsal tells."""
    rehearsal = Namespace(namespace.name, namespace.settings, namespace.library)
    rehearsal.start(namespace.providers)
    create = sample.create(provider)
    assert create.operation.name is OperationName.CREATE
    request = Request(
        method=create.operation.method,
        path=create.path,
        headers={b"authorization": f"Bearer {_key(namespace)}".encode()},
        fields=create.fields,
    )
    task = endpoint.respond(rehearsal, provider, create.operation, request).task
    return None if task is None else task.id


def _key(namespace: Namespace) -> str:
    return sample.key_for(namespace.active.scenario.auth)


def _curl(namespace: Namespace, provider: Provider, asked: Sample, place: Place) -> str:
    # -k: a certificate made for tests is one that nobody vouches for.
    words = ["curl", "-s", *(["-k"] if place.is_tls else []), f"{place.url}{provider.base}{asked.path}"]
    words += ["-H", f"Authorization: Bearer {_key(namespace)}"]
    if asked.fields is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(asked.fields)]
    return "  " + shlex.join(words)
