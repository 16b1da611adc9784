"""The report: how the client under test behaved."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from emulator.control.fields import DURATION, FLAG, Field, Json, Kind, Nested, one_of, shown, text, whole
from emulator.control.problems import bad_request
from emulator.control.routes import Call, Route, Text
from emulator.core.errors import Problem as Mistaken
from emulator.core.errors import ScenarioError
from emulator.core.expectations import Expectations
from emulator.engine import Namespace
from emulator.messages.problem import Mistake
from emulator.messages.report import Report
from emulator.providers import PROVIDERS
from emulator.scenario_file import load_expectations
from emulator.scenario_file.expect import EXPECT
from emulator.verification import tasks_of

if TYPE_CHECKING:
    from emulator.report import Question

TAG: Final = "report"
_TEXT: Final = "text/plain"
_JUNIT: Final = "application/xml"
_FORMATS: Final = {
    "application/json": "json",
    _TEXT: "text",
    _JUNIT: "junit",
    "text/xml": "junit",
}
"""What an Accept header may ask for."""

# Fields

FORMAT: Final = Field(
    "format",
    one_of("json", "text", "junit"),
    "What the answer is written in; left out: what the Accept header asks for, else JSON.",
)
_TASK: Final = Field("task", text("a task's id"), "Judge this task alone.")
_AFTER: Final = Field(
    "after", whole(0, 2**53), "Judge the requests after the one of this number in the journal.", default=0
)
_CLOCK: Final = Field(
    "clock",
    one_of("real", "emulator"),
    "What the client sleeps by; left out: real time, where the namespace's clock runs with it, and otherwise gaps "
    "aren't judged.",
)
_UNFINISHED: Final = Field(
    "unfinished",
    FLAG,
    "Whether the client may not be done yet: a result that it hasn't downloaded is held against it only where `expect` "
    "or the scenario ask for downloads.",
    default=False,
)


def _expectations(value: Any) -> Nested:
    if not isinstance(value, dict):
        raise ValueError(f"expected {_EXPECTED}, got {shown(value)}")  # noqa: TRY004 - what kinds raise
    try:
        return Nested({"said": load_expectations({name: _part(part) for name, part in value.items()})}, [])
    except ScenarioError as error:
        return Nested({}, [_mistake(problem) for problem in error.problems])


def _part(value: Any) -> Any:
    """One part of ``expect``. To JSON Schema 3.0 is an integer; to the language of scenarios it isn't."""
    if not isinstance(value, dict):
        return value
    return {
        key: int(item) if isinstance(item, float) and item.is_integer() else item
        for key, item in value.items()
    }


def _mistake(problem: Mistaken) -> Mistake:
    where = problem.path.removeprefix(EXPECT.word).removeprefix(".")
    return Mistake(where=where, message=problem.message, hint=problem.hint, id=problem.id)


_EXPECTED: Final = 'what a scenario\'s expect has, such as {"poll": {"min_interval": "2s"}}'
_MODEST: Final[Json] = {
    **DURATION.schema,
    "pattern": r"^(?:[0-9]{1,3}(?:\.[0-9]{1,6})?(?:us|ms|s|m|h|d)){1,3}$",
}
"""A pattern can't say ten years; this one keeps below it."""


def _schema() -> Json:
    """The schema of ``expect``, which refers to nothing outside of itself, as a description of a body has to."""
    defs: dict[str, Json] = {}
    schema = EXPECT.kind.schema(defs)
    inlined: Json = _inlined(schema, {**defs, "duration": _MODEST})
    return inlined


def _inlined(schema: Any, defs: dict[str, Json]) -> Any:
    if isinstance(schema, list):
        return [_inlined(item, defs) for item in schema]
    if not isinstance(schema, dict):
        return schema
    whole_one = {name: _inlined(value, defs) for name, value in schema.items() if name != "$ref"}
    if "$ref" not in schema:
        return whole_one
    return {**_inlined(defs[schema["$ref"].rpartition("/")[2]], defs), **whole_one}


_EXPECT: Final = Field(
    "expect",
    Kind(_EXPECTED, _expectations, _schema()),
    "What a correct client does, as in a scenario; what is left out, the scenario says.",
)

# Routes


async def _report(call: Call) -> Report | Text:
    asked = call.query
    return _answered(call, _question(asked, None))


async def _report_by(call: Call) -> Report | Text:
    body = call.body
    said = body["expect"]
    return _answered(call, _question(body, None if said is None else said["said"]))


def _question(asked: Mapping[str, Any], expect: Expectations | None) -> "Question":
    # Imported with the first report: other calls needn't wait for it.
    from emulator import report  # noqa: PLC0415

    return report.Question(
        expect=expect,
        clock=asked["clock"],
        task=asked["task"],
        after=asked["after"],
        unfinished=asked["unfinished"],
    )


def _answered(call: Call, question: "Question") -> Report | Text:
    mistakes = list(_without_object(call.namespace, question.task, question.after))
    if mistakes:
        raise bad_request(mistakes)
    from emulator import report  # noqa: PLC0415 - as above

    found = report.report_on(call.namespace, question)
    match call.query["format"] or _accepted(call.request.headers.get("accept", "")):
        case "text":
            return Text(report.as_text(found), _TEXT)
        case "junit":
            return Text(report.as_junit(found), _JUNIT)
        case _:
            return found


def _without_object(namespace: Namespace, task: str | None, after: int) -> Iterator[Mistake]:
    """Why there is nothing to judge: a report on nobody would never fail a CI job."""
    if task is not None and not _is_known(namespace, task):
        message = f"no task {task[:200]!r} is known here"
        yield Mistake(where="task", message=message, hint="GET /__admin/tasks lists them")
    total = namespace.journal.total
    if after > total:
        message = f"expected the number of an entry of the journal, at most {total}, got {after}"
        yield Mistake(where="after", message=message, hint="a reset begins anew with 1")


def _is_known(namespace: Namespace, task: str) -> bool:
    if any(namespace.store.get(provider.name, task) is not None for provider in PROVIDERS):
        return True
    return any(task in tasks_of(record) for record in namespace.journal)  # it was given up since


def _accepted(accept: str) -> str:
    """The format that an Accept header likes best; JSON, where it names none of them."""
    liked = [(_quality(item), item.partition(";")[0].strip().lower()) for item in accept.split(",")]
    known = [(quality, _FORMATS[name]) for quality, name in liked if name in _FORMATS and quality > 0]
    return max(known, key=lambda pair: pair[0], default=(1.0, "json"))[1]


def _quality(item: str) -> float:
    for parameter in item.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


_ABOUT: Final = "How the client under test behaved, judged by its requests"
ROUTES = (
    Route(
        method="GET",
        path="/report",
        handler=_report,
        about=f"{_ABOUT} and by what scenarios expect.",
        tag=TAG,
        answers=Report,
        texts=(_TEXT, _JUNIT),
        query=(FORMAT, _CLOCK, _TASK, _AFTER, _UNFINISHED),
    ),
    Route(
        method="POST",
        path="/report",
        handler=_report_by,
        about=f"{_ABOUT} and by what the body expects.",
        tag=TAG,
        answers=Report,
        texts=(_TEXT, _JUNIT),
        query=(FORMAT,),
        body=(_EXPECT, _CLOCK, _TASK, _AFTER, _UNFINISHED),
    ),
)
