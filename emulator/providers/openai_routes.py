"""List, delete and remix of ``/v1/videos``, as OpenAI has them: for the vendors that follow its API.

"OpenAI" is the fact sheet's reading of its specification and its Python client. The gateway itself routes neither
list nor delete: that profile ``current`` has them is for OpenAI's clients.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from emulator.core.call import Call, Create, Delete, Listing, Refusal, Remix
from emulator.core.words import ErrorName, OperationName, Profile
from emulator.providers.base import Inbound, Offspring, Operation, View
from emulator.providers.openai_style import created_call, text, whole

_CURRENT: Final = (Profile.CURRENT,)
_DEFAULT_LIMIT: Final = 20  # our choice: OpenAI's specification names none
_MOST: Final = 100  # OpenAI

Item = Callable[[View], dict[str, Any]]
Echoed = Callable[[View], Mapping[str, Any]]
"""What the provider prints of a task's request, by the names of its fields."""


def operations(
    item: Item, remixed: Item, echoed: Echoed, remix_profiles: tuple[Profile, ...] = _CURRENT
) -> tuple[Operation, ...]:
    """The rows of list, delete and remix.

    Args:
        item: a task as polls print it.
        remixed: a new task as the answer to a remix prints it.
        echoed: what a remix takes over from the task that it is made from.
        remix_profiles: the faces that have the remix.
    """
    return (
        Operation(
            name=OperationName.LIST,
            method="GET",
            path="/v1/videos",
            profiles=_CURRENT,
            parse=_parse_list,
            item=item,
            answer=_page,
        ),
        Operation(
            name=OperationName.DELETE,
            method="DELETE",
            path="/v1/videos/{task_id}",
            profiles=_CURRENT,
            parse=_parse_delete,
            item=item,
            answer=_deleted,
        ),
        Operation(
            name=OperationName.REMIX,
            method="POST",
            path="/v1/videos/{task_id}/remix",
            profiles=remix_profiles,
            parse=_parse_remix,
            item=remixed,
            answer=_remixed,
            derive=derived(echoed),
        ),
    )


# Lists


def _parse_list(inbound: Inbound) -> Listing:
    """OpenAI: ``limit`` from 0 to 100, ``order`` asc or desc, ``after`` the last id of the page before.

    What is none of these counts as left out, and a number beyond as the nearest: no source shows a refusal.
    """
    query = inbound.query
    limit = whole(query.get("limit"))
    return Listing(
        limit=_DEFAULT_LIMIT if limit is None else min(max(limit, 0), _MOST),
        after=query.get("after") or None,
        # Newest first otherwise: our choice, as OpenAI's other lists do.
        oldest_first=query.get("order") == "asc",
    )


def _page(call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any]:
    last_id = items[-1].get("id") if items else None
    return {
        "object": "list",
        "data": list(items),
        "first_id": items[0].get("id") if items else None,
        "last_id": last_id,
        # Where an author's patch takes the id away nobody could ask for the next page: it would be this one again.
        "has_more": isinstance(call, Listing) and call.has_more and last_id is not None,
    }


# Deletions


def _parse_delete(inbound: Inbound) -> Delete:
    # OpenAI: only a completed or failed video.
    return Delete(id=inbound.params[0], only_ended=True)


def _deleted(call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any] | Refusal:
    if not items or not isinstance(call, Delete):
        return Refusal(ErrorName.NOT_FOUND)
    return {"id": call.id, "object": "video.deleted", "deleted": True}


# Remixes


def _parse_remix(inbound: Inbound) -> Remix:
    call = created_call(inbound, prompt_needed=False)
    refusal = call.refusal
    if refusal is None and not (text(call.fields.get("prompt")) or "").strip():
        # Gateway source: code and message.
        refusal = Refusal(ErrorName.BAD_REQUEST, "field prompt is required", "invalid_request")
    return Remix(source=inbound.params[0], fields=call.fields, refusal=refusal)


def derived(echoed: Echoed) -> Callable[[Create | Remix, View | None], Offspring | Refusal]:
    """What a remix takes over from its source: what of its request it doesn't say itself."""

    def derive(call: Create | Remix, source: View | None) -> Offspring | Refusal:
        if source is None:
            # Gateway source: 400 with the code of an unknown task, and this text.
            return Refusal(ErrorName.NOT_FOUND, "task_origin_not_exist")
        # An empty text counts as left out.
        said = {name: value for name, value in call.fields.items() if value not in ("", None)}
        printed = echoed(source)
        taken = {name: printed[name] for name, others in _TAKEN.items() if not said.keys() & others}
        return Offspring(fields={**taken, **said, "remixed_from_video_id": source.task.id})

    return derive


_TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "model": frozenset({"model"}),
    "seconds": frozenset({"seconds", "duration"}),
    "size": frozenset({"size", "width", "height"}),
}
"""What is the source's, and the names by which a remix says it itself. Gateway source: these three, and the source need
not have ended."""


def _remixed(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any] | Refusal:
    return items[0] if items else Refusal(ErrorName.NOT_FOUND)
