"""What may leave: every text of an answer passes here before anything is made of it.

Keys are replaced by `emulator.redaction`. Prompts, ids, links and dates become marks that say what stood there; so do
runs of characters that look like one of these. What is left is what anybody's answers would say.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from emulator.core.units import SECOND, parse_instant
from emulator.recorder.reading import Read
from emulator.redaction import Redactor, is_secret, presented

ID: Final = "[id]"
LINK: Final = "[link]"
DATE: Final = "[date]"
KEY: Final = "[key]"
HIDDEN: Final = "[hidden]"
MARKS: Final = frozenset({ID, LINK, DATE, KEY, HIDDEN})
SOME_SECOND: Final = parse_instant("2025-01-01T00:00:00Z") // SECOND
"""What stands for any date that is a number."""
PROMPT: Final = "Prompt {} of the recording"
LONGEST: Final = 200
"""Of a longer text the rest is left out."""
_DEEPEST: Final = 32
_MOST_REMEMBERED: Final = 4096
_LINK: Final = re.compile(r"(?:https?|wss?|s3|gs)(?::|%3A)(?:/|%2F|\\/){2}[^\s\"'<>\\]*", re.I)
_EMAIL: Final = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+\.[^\s@\"'<>]+")
_DATE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
)
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ADDRESS: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_RUN: Final = re.compile(r"[A-Za-z0-9_+/=~.\-]{6,}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9]+")
TELLING: Final = frozenset(
    {
        "model", "seconds", "size", "duration", "orientation", "action", "aspect_ratio", "resolution", "version",
        "width", "height", "fps", "n", "quality", "async", "mode",
    }
)  # fmt: skip
"""What a create says of the video that it asks for, by any provider's names."""
_MODEL: Final = re.compile(r"[A-Za-z0-9._:/+ -]{1,40}")
_SIZE: Final = re.compile(r"\d{2,5}[xX*]\d{2,5}")
_PREFIXED: Final = re.compile(r"(?i)(?:sk|pk|rk|ak|ghp|xox[a-z])[-_]\w")
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$\-]{0,63}")
_OF_SOMEBODY: Final = re.compile(r"(?i)(?:^|_)(?:id|uid|uuid|user|account|org|organization|email)$")
_WINDOW: Final = 24
"""So many characters of a prompt in a row are a quotation of it."""
_PROMPTS: Final = re.compile(r"(?i)prompt|^(?:text|input|lyrics?|description|caption|title|query|content)$")
_SECONDS: Final = (10**9, 4 * 10**9)
_LARGEST: Final = 10**6
"""A larger number that is no date tells of somebody."""


class Disguise:
    """Knows what was private in a recording, and hides it."""

    def __init__(self, reads: Iterable[Read], *, keep_prompts: bool = False) -> None:
        self._secrets: set[str] = set()
        self._ids: set[str] = set()
        self._prompts: dict[str, str] = {}
        self._hidden: dict[str, str] = {}
        """Texts that were asked for already: every answer repeats those of the one before."""
        for read in reads:
            self._learn(read, keep_prompts)
        self._redactor = Redactor(self._secrets)
        # One that is kept may hold keys, too.
        self._prompts = {text: _untemplated(self._without_keys(told)) for text, told in self._prompts.items()}
        # The longest first: a prompt may begin as another does.
        self._told = sorted(self._prompts, key=len, reverse=True)
        self._known = sorted((id for id in self._ids if len(id) >= _SHORT), key=len, reverse=True)

    def _learn(self, read: Read, keep_prompts: bool) -> None:
        seen = read.seen
        self._secrets.update(presented(seen.headers, seen.query, seen.fields))
        self._secrets.update(_presented_in_answer(seen.answer_headers, read.value))
        ids = [*read.ids, read.made, *(shown.sighting.id for shown in read.shown)]
        self._ids.update(id for id in ids if id)
        for text in (*_free_texts(seen.fields), *_printed_texts(read)):
            told = text.replace("scenario:", "scenario ") if keep_prompts else None
            self._prompts.setdefault(text, told or PROMPT.format(len(self._prompts) + 1))

    def prompt_for(self, text: str) -> str | None:
        """What stands for a prompt; ``None``: it is none."""
        return self._prompts.get(text)

    def text(self, text: str) -> str:
        """A text without what is private; at most `LONGEST` characters of it."""
        hidden = self._hidden.get(text)
        if hidden is None:
            if len(self._hidden) >= _MOST_REMEMBERED:
                self._hidden.clear()
            hidden = self._hidden[text] = self._without_private(text)
        return hidden

    def _without_private(self, text: str) -> str:
        if text in MARKS:
            return text
        if text in self._prompts:
            return self._prompts[text]
        if text in self._ids:
            return ID
        for prompt in self._told:
            text = text.replace(prompt, self._prompts[prompt]) if len(prompt) >= _SHORT else text
        if any(_quotes(text, prompt) for prompt in self._told if self._prompts[prompt] not in text):
            return HIDDEN
        for id in self._known:
            text = text.replace(id, ID)
        return _shortened(self._without_keys(text))

    def _without_keys(self, text: str) -> str:
        """A text without keys, links, dates and what looks like an id."""
        return _plain(_without_marked(self._redactor.text(_plain_links(text))))

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """A JSON value without what is private, under the name that it has."""
        if depth > _DEEPEST:
            return HIDDEN
        if isinstance(value, Mapping):
            return {self._name(key, n): self.value(value[key], key, depth + 1) for n, key in enumerate(value)}
        if isinstance(value, list):
            return [self.value(item, name, depth + 1) for item in value]
        if isinstance(value, str):
            return self._string(name, value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(name, value)
        return value

    def _name(self, name: str, number: int) -> str:
        is_plain = _NAME.fullmatch(name) and self.text(name) == name
        return name if is_plain else f"member_{number + 1}"

    def _string(self, name: str, value: str) -> str:
        if value and is_secret(name):
            return KEY
        if value and _OF_SOMEBODY.search(name):
            return ID
        if name in TELLING and _MODEL.fullmatch(value) and not tells_somebody(value, _LONG):
            return value
        return self.text(value)

    def _number(self, name: str, value: float) -> Any:
        if is_secret(name) or _OF_SOMEBODY.search(name):
            return type(value)(1)
        low, high = _SECONDS
        scale = next((scale for scale in (1, 1000) if low * scale <= value < high * scale), None)
        if scale is not None:
            return type(value)(SOME_SECOND * scale)
        return value if abs(value) < _LARGEST else type(value)(1)

    def code(self, text: str) -> str:
        """As `text`; but a code that stands for nothing but itself stays."""
        return text if re.fullmatch(r"[A-Za-z_.\-]{1,64}", text) else self.text(text)


_SHORT: Final = 4
"""A shorter prompt or id is replaced only where it stands alone: it would be found in every text."""


_FEW_WORDS: Final = 2


def _free_texts(fields: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """What people wrote, among the fields of a create."""
    if depth > _DEEPEST:
        return
    if isinstance(fields, Mapping):
        for key, value in fields.items():
            yield from _free_texts(value, str(key), depth + 1)
    elif isinstance(fields, list):
        for item in fields:
            yield from _free_texts(item, name, depth + 1)
    elif isinstance(fields, str) and _is_free(fields, name):
        yield fields


def _printed_texts(read: Read) -> Iterator[str]:
    """The prompts that answers print, of tasks that nobody saw made."""
    for shown in read.shown:
        yield from _free_texts(shown.printed.get("request"))
        yield from (
            text for name, text in shown.printed.items() if name == "prompt" and isinstance(text, str)
        )


def _is_free(text: str, name: str) -> bool:
    if not text or _LINK.fullmatch(text):
        return False
    return _PROMPTS.search(name) is not None or len(text.split()) > _FEW_WORDS


def _presented_in_answer(headers: Mapping[bytes, bytes], value: Any) -> Iterator[str]:
    """What an answer hands out as keys: cookies, signatures of links."""
    for cookie in headers.get(b"set-cookie", b"").decode("latin-1").split(";"):
        yield from (part for part in (cookie.partition("=")[2],) if len(part) >= _TELLING)
    yield from presented({}, b"", value)
    for text in _texts(value):
        for link in _LINK.findall(text):
            yield from _in_query(link)


def _in_query(link: str) -> Iterator[str]:
    try:
        query = urlsplit(link).query
    except ValueError:
        return
    for name, part in parse_qsl(query):
        if is_secret(name) and len(part) >= _TELLING:
            yield part


_TELLING: Final = 8


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth <= _DEEPEST and isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(child, depth + 1)


def _quotes(text: str, prompt: str) -> bool:
    """Whether a text quotes a part of a prompt."""
    if len(prompt) < _WINDOW or len(text) < _WINDOW:
        return False
    starts = range(0, len(prompt) - _WINDOW + 1, _WINDOW // 2)
    return any(prompt[start : start + _WINDOW] in text for start in starts)


def _plain_links(text: str) -> str:
    """Links go before keys are looked for: most of them have one in their query."""
    return _EMAIL.sub(ID, _LINK.sub(LINK, text)) if ":" in text or "@" in text or "%" in text else text


def _plain(text: str) -> str:
    """A text without what looks like dates, addresses or ids."""
    text = _ADDRESS.sub(ID, _UUID.sub(ID, _DATE.sub(DATE, text)))
    return _RUN.sub(lambda found: ID if tells_somebody(found[0]) else found[0], text)


def tells_somebody(token: str, shortest: int = 6) -> bool:
    """Whether a run of characters looks like an id or a key, rather than like a word, a number or a size.

    Args:
        token: letters, digits, and signs between them.
        shortest: of so many characters letters and digits together aren't a word any more.
    """
    if _SIZE.fullmatch(token):
        return False
    if _PREFIXED.match(token) or sum(map(str.isdigit, token)) >= _MANY_DIGITS:
        return True
    return any(_is_drawn(segment, shortest) for segment in _SEGMENT.findall(token))


_MANY_DIGITS: Final = 8
_CHANGES: Final = 3
_LONG: Final = 14


def _is_drawn(segment: str, shortest: int) -> bool:
    changes = sum(one != other for one, other in pairwise(map(str.isdigit, segment)))
    if len(segment) >= shortest and changes:
        return True
    return (len(segment) >= _LONG and _looks_mixed(segment)) or changes > _CHANGES


def _looks_mixed(segment: str) -> bool:
    """Whether capitals stand as no word has them: base64 without digits."""
    return len(re.findall(r"[a-z][A-Z]", segment)) > len(segment) // 5


def _without_marked(text: str) -> str:
    """The marks of `emulator.redaction` tell one key from another: here one will do."""
    return re.sub(r"(?:sk-ns-\S*?--)?\[key [0-9a-f]{8}\]", KEY, text)


def _untemplated(text: str) -> str:
    # What may be a template is none; a file of YAML holds no control characters.
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("{{", "{ {").replace("}}", "} }")


def _shortened(text: str) -> str:
    plain = _untemplated(text)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
