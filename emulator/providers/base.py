"""What a provider is: a table of pure functions between its wire and the neutral words of `emulator.core`.

A provider knows no clock, store, engine or framework. What it can't know it is handed: the instant,
the profile, the link.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from emulator.core.call import Call, Create, Refusal, Remix, Variant
from emulator.core.effects import Failure
from emulator.core.task import Snapshot, Task
from emulator.core.units import Instant
from emulator.core.words import ErrorName, OperationName, Profile, Status

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields as ASGI has them: names in lower case."""


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """A request as a provider's `Operation.parse` gets it."""

    method: str
    path: str
    """Decoded, without the base path and the query."""
    params: tuple[str, ...]
    """The segments that stood where the operation's path has ``{...}``, decoded."""
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    profile: Profile
    fields: Any = None
    """The body as JSON values, whatever its content type; ``None`` for an operation that reads no body."""
    broken: str | None = None
    """Why the body couldn't be read, in a sentence."""


class Wire(msgspec.Struct, frozen=True):
    """An answer on the wire, short of what every answer of the provider carries."""

    status_code: int
    body: Any
    """JSON values, or text for what isn't JSON (`content_type` says what)."""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


class View(msgspec.Struct, frozen=True, gc=False):
    """One task at one instant, with all that a provider needs to print it."""

    task: Task
    snapshot: Snapshot
    now: Instant
    profile: Profile
    account: Any
    """What `Provider.account` made for the namespace."""
    link: str | None
    """The link to the result: ``None`` before completion, and where the scenario leaves it out."""
    link_dies_at: Instant


class Scene(msgspec.Struct, frozen=True, gc=False):
    """The exchange that is being refused or answered, as far as its wording depends on it."""

    profile: Profile
    method: str
    path: str
    now: Instant
    entropy: bytes
    """Sixteen bytes or more that are this exchange's own: request and trace ids are cut from them."""
    status: Status | None = None
    operation: OperationName | None = None


class Clip(msgspec.Struct, frozen=True):
    """The size and duration of the video that a request asks for."""

    width: int
    height: int
    seconds: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider needs to write the link to a result."""

    task: Task
    account: Any
    ended_at: Instant
    dies_at: Instant


class Link(msgspec.Struct, frozen=True):
    """The provider's own part of a link: what follows the common head, and the query in its order.

    Values stand as they go over the wire, percent-encoded where they have to be. The parameter whose
    value is ``None`` is where the signature goes.
    """

    tail: str
    query: tuple[tuple[str, str | None], ...]


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A task as somebody reads it off the wire: the way back from `Operation.item`, as far as there is one.

    Nothing is believed: a member of another type than the provider's counts as absent.
    """

    id: str | None = None
    status: Status | None = None
    """``None``: the word that is printed for it is none of the provider's."""
    word: str | None = None
    """The status as it is printed; ``None``: none is."""
    progress: int | None = None
    link: str | None = None
    """To the result; ``None``: none is printed, or an empty one."""
    code: str | None = None
    """Why it failed."""
    message: str | None = None
    created_at: Instant | None = None
    ended_at: Instant | None = None
    dies_at: Instant | None = None
    """When the link dies, as far as task or link announce it."""


class Offspring(msgspec.Struct, frozen=True, kw_only=True):
    """What a new task gets that is made from another one."""

    fields: Mapping[str, Any]
    """Its create request, as it is kept."""
    values: Mapping[str, Any] = {}
    """What is chosen for it already, by names of `Provider.value_names` and others; a scenario's go before."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a provider's table."""

    name: OperationName
    method: str
    path: str
    """Below the base path; ``{...}`` stands for one segment."""
    parse: Callable[[Inbound], Call]
    """Never raises, and judges only in the call's ``refusal``: auth and rules come first."""
    item: Callable[[View], dict[str, Any]]
    """One task as this operation prints it. Patches apply to what it returns."""
    answer: Callable[[Call, Sequence[dict[str, Any]], Profile], dict[str, Any] | Refusal]
    """The whole body from the printed tasks that were found; where none was, perhaps why there is no body."""
    ended: Callable[[View], Wire] | None = None
    """What a create that was held answers once its task has ended; ``None``: no create is held."""
    line: Callable[[View], dict[str, Any]] | None = None
    """One line of what such a create streams before that."""
    plain_poll: Callable[[tuple[str, ...], Any], str | None] | None = None
    """The id of the one task that a request polls which is just as documented, from the path's `params` and the
    body's fields; it gives ``None`` where `parse` has to look. Such a poll's answer is the task as `item` prints it."""
    profiles: tuple[Profile, ...] = tuple(Profile)
    """The faces that have it; in another one there is no such route."""
    actions: Mapping[OperationName, tuple[Profile, ...]] = {}
    """Other operations that its body may ask for by an action, and the faces that have them."""
    new_id: Callable[[bytes, Instant, Mapping[str, Any]], str] | None = None
    """The id of a task that it makes, from entropy, creation and request; ``None``: as `Provider.new_id` says."""
    derive: Callable[[Create | Remix, View | None], Offspring | Refusal] | None = None
    """What a new task gets of the one that it is made from: ``None``, where none is named or nobody knows it."""
    goes_by: Callable[[Task, str], bool] | None = None
    """Whether a task is the one that a create's `source` names, beside the one whose id it is."""


def first_of(operations: Sequence[Operation], name: OperationName) -> Operation | None:
    """The first of a name: the road that clients take who follow the provider's newest pages."""
    return next((operation for operation in operations if operation.name is name), None)


def never_called_back(_fields: Mapping[str, Any]) -> None:
    """The provider has no callbacks."""


def video_alone(_name: str, _profile: Profile) -> Variant:
    """Whatever is asked for, the video is sent."""
    return "video"


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor's service."""

    name: str
    base: str
    """The path that it lives under, with its leading slash."""
    hosts: tuple[str, ...]
    operations: tuple[Operation, ...]
    """Of several by one name, the first is the one that samples, previews and contracts go by."""
    account: Callable[[bytes], Any]
    """What is the same for all tasks of a namespace (user ids and their like), from the namespace's key."""
    new_id: Callable[[bytes, Instant, Any], str]
    """The id of a new task, from its entropy, its creation and the account."""
    alias_of: Callable[[str, Any], str | None]
    """The task id that another name stands for, where the one can be computed from the other."""
    alias: Callable[[Task, Any], str | None]
    """Another name of the task that `alias_of` can't compute and that must be kept."""
    echo: Callable[[Mapping[str, Any], bytes], tuple[Any, ...]]
    """What the provider will print of a create request, defaults filled in; kept in `Task.echo`."""
    value_names: tuple[str, ...]
    """The names that a scenario's ``values`` may set: what the provider would have chosen."""
    example_request: Mapping[str, Any]
    """The create request of the provider's document; what a task has that begins without one."""
    key: Callable[[bytes | None, Profile], str | ErrorName]
    """The API key in an ``Authorization`` header, or what is wrong with the header."""
    refuse: Callable[[Refusal, Scene], Wire]
    """Every named error and every situation in the provider's words."""
    failure: Callable[[Failure | None, Profile], tuple[str, str]]
    """Code and message of a failed task."""
    headers: Callable[[Scene], Headers]
    """What every answer of the provider carries, besides content type, length and date."""
    clip: Callable[[Mapping[str, Any]], Clip]
    """The video that a create request asks for."""
    link: Callable[[Result], Link]
    dies_at: Callable[[Mapping[str, str]], Instant | None]
    """When a link with this query dies; ``None``: the query doesn't say, so the link isn't ours."""
    signature_name: str
    storage_refusal: Callable[[bool, Scene], Wire]
    """What the storage behind the links answers to a dead link (``True``) or a tampered one (``False``)."""
    sighted: Callable[[Any], Sighting | None]
    """What a poll's body shows of a task, in either profile; ``None``: it is no task."""
    made: Callable[[Any], str | None]
    """The new task's id in the answer to a create; ``None``: there is none."""
    callback_url: Callable[[Mapping[str, Any]], str | None] = never_called_back
    """Where a create request wants the task's end told; ``None``: nowhere."""
    callback: Callable[[View], dict[str, Any]] | None = None
    """What is told there, of a task that has ended; ``None``: the provider calls nobody back."""
    variant: Callable[[str, Profile], Variant | Refusal] = video_alone
    """What the content route sends for a ``variant`` of this name, or why it doesn't."""
    content_headers: Headers = ()
    """What it sends besides where it sends a result."""

    def has(self, name: OperationName, profile: Profile | None = None) -> bool:
        """Whether clients can ask for an operation, in a profile or in any."""
        faces = [face for row in self.operations if row.name is name for face in row.profiles]
        faces += [face for row in self.operations for face in row.actions.get(name, ())]
        return name is OperationName.DOWNLOAD or bool(faces if profile is None else profile in faces)

    @property
    def client_path(self) -> str:
        """What openai's client wants at the end of a base URL, and other clients don't: ``/v1``, or nothing."""
        return "/v1" if all(operation.path.startswith("/v1/") for operation in self.operations) else ""
