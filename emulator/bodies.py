"""Request bodies: read within bounds, understood as JSON values whatever their content type, never judged."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import orjson

from emulator.excerpts import KEPT_BODY, elided

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

MIB: Final = 1024 * 1024
POLL_LIMIT: Final = MIB
"""What polls and control calls may send."""
CREATE_LIMIT: Final = 64 * MIB
_SMALL: Final = len(str(POLL_LIMIT))
"""A length with fewer digits is within every limit."""
MAX_DEPTH: Final = 64
LONGEST_STRING: Final = 64 * 1024
"""A longer string of a create request is kept, and echoed, as its digest."""
MAX_PARTS: Final = 1000
MAX_SEPARATORS: Final = 100_000
"""How many commas and brackets a kept body may have: more would be values that take seconds to look at."""
FORM_LIMIT: Final = MIB
"""Of a urlencoded form, whose escapes take a third of a second a MiB to undo. Multipart forms have `CREATE_LIMIT`."""


class Body(msgspec.Struct, frozen=True, gc=False):
    """A body, understood: its JSON values, or why there are none."""

    fields: Any = None
    broken: str | None = None
    too_large: str | None = None
    raw: bytes = b""
    """As much of it as the journal keeps; empty: it was larger, or a form, and `fields` have to do."""
    size: int = 0
    """In bytes, as far as it is known."""

    def kept(self) -> bytes:
        """What the journal keeps of it."""
        return self.raw if self.raw or self.fields is None else elided(self.fields)


class TooLarge(Exception):
    """The body is longer than its reader allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is longer than {limit // MIB} MiB, the most that is read here")


class Hung(Exception):
    """The client left before it had sent its body."""


async def read(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it is, or says that it is, longer than ``limit`` bytes.
        Hung: the client disconnected.
    """
    _check_announced(headers, limit)
    return await _rest(await receive(), receive, limit)


async def _rest(message: Mapping[str, Any], receive: Receive, limit: int) -> bytes:
    """The whole body, of which the first message has come."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        if message["type"] != "http.request":
            raise Hung
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise TooLarge(limit)
        chunks.append(chunk)
        if more:
            message = await receive()
    return b"".join(chunks)


def unread(headers: Mapping[bytes, bytes]) -> Body:
    """What is wrong with the length of a body that nobody reads, such as a GET's."""
    try:
        _check_announced(headers, POLL_LIMIT)
    except TooLarge as problem:
        return Body(too_large=str(problem))
    return Body()


def _check_announced(headers: Mapping[bytes, bytes], limit: int) -> None:
    announced = headers.get(b"content-length", b"")
    if len(announced) < _SMALL:
        return
    # More than fifteen digits is too large whatever they are, and too long for int() to be asked.
    if announced.isdigit() and (len(announced) > 15 or int(announced) > limit):
        raise TooLarge(limit)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise Hung
    return message.get("body", b""), message.get("more_body", False)


async def understand(receive: Receive, headers: Mapping[bytes, bytes], limit: int, *, forms: bool) -> Body:
    """The body as JSON values: of JSON, and where ``forms`` says so of urlencoded and multipart forms too.

    Raises:
        Hung: the client disconnected.
    """
    content_type, kind = _kind_of(headers.get(b"content-type", b""))
    try:
        if forms and kind == "multipart/form-data":
            _check_announced(headers, limit)
            return await _multipart(receive, content_type, limit)
        _check_announced(headers, limit)
        message = await receive()
        data = message.get("body", b"")
        if not data or message.get("more_body") or len(data) > limit:
            data = await _rest(message, receive, limit)
    except TooLarge as problem:
        return Body(too_large=str(problem))
    if forms and kind == "application/x-www-form-urlencoded" and not data.lstrip().startswith(b"{"):
        return _from_form(data)
    if kind == "application/json":
        return from_json(data, kept=forms)
    if kind and not kind.endswith("+json") and not _is_careless(kind, data):
        wanted = "application/json or a form" if forms else "application/json"
        broken = f"expected a body of content type {wanted}, got {content_type[:100]!r}"
        return Body(broken=broken, raw=data[:KEPT_BODY], size=len(data))
    return from_json(data, kept=forms)


def at_once(headers: Mapping[bytes, bytes], data: bytes) -> Body | None:
    """A poll's whole body, where it is JSON and nothing is wrong with it."""
    if _kind_of(headers.get(b"content-type", b""))[1] != "application/json" or len(data) > POLL_LIMIT:
        return None
    body = from_json(data, kept=False)
    return body if body.broken is None else None


@lru_cache(maxsize=64)
def _kind_of(content_type: bytes) -> tuple[str, str]:
    """A content type as text, and what it is without its parameters."""
    text = content_type.decode("latin-1")
    return text, text.partition(";")[0].strip().lower()


def _from_form(data: bytes) -> Body:
    if len(data) > FORM_LIMIT:
        return Body(too_large=f"{TooLarge(FORM_LIMIT)}; multipart/form-data may be longer")
    try:
        pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_PARTS)
    except ValueError:
        return Body(broken=f"the form has more than {MAX_PARTS} fields")
    return Body(_folded(pairs))


def _is_careless(kind: str, data: bytes) -> bool:
    # curl -d without a header labels JSON as a form; the providers' own guides send a header,
    # and nothing is gained by refusing what plainly is JSON.
    return kind == "application/x-www-form-urlencoded" and data.lstrip()[:1] in (b"{", b"")


def from_json(data: bytes, *, kept: bool = True) -> Body:
    """The JSON value that the bytes hold; what will be ``kept`` has each long string replaced by its digest."""
    if not data.strip():
        return Body(broken="expected a JSON object, got an empty body")
    if kept and len(data) > MAX_SEPARATORS and sum(map(data.count, (b",", b"[", b"{"))) > MAX_SEPARATORS:
        return Body(
            broken=f"the body has more than {MAX_SEPARATORS:,} commas and brackets, the most that is read"
        )
    try:
        value = orjson.loads(data)
        raw = data if len(data) <= KEPT_BODY else b""
        return Body(bounded(value) if kept else value, raw=raw, size=len(data))
    except orjson.JSONDecodeError as problem:
        broken = f"the body is not JSON: {problem}"
    except RecursionError:
        broken = f"the body is nested deeper than {MAX_DEPTH} levels"
    return Body(broken=broken, raw=data[:KEPT_BODY], size=len(data))


def bounded(value: Any, depth: int = 0) -> Any:
    """The value with each string over `LONGEST_STRING` replaced by its digest; ``RecursionError`` past `MAX_DEPTH`."""
    if isinstance(value, str):
        return _bounded_text(value)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return {bounded(key): bounded(child, depth + 1) for key, child in value.items()}
    if isinstance(value, list):
        return [bounded(child, depth + 1) for child in value]
    return value


def _bounded_text(text: str) -> str:
    if len(text) * 4 <= LONGEST_STRING:
        return text
    data = text.encode("utf-8", "replace")
    if len(data) <= LONGEST_STRING:
        return text
    return f"sha256:{hashlib.sha256(data).hexdigest()} ({len(data)} bytes)"


def _folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of a form: a repeated one as a list, ``metadata[key]`` as an object."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        target, key = fields, _bounded_text(name)
        outer, bracket, inner = key.partition("[")
        if bracket and inner.endswith("]") and len(inner) > 1 and isinstance(fields.get(outer, {}), dict):
            target, key = fields.setdefault(outer, {}), inner[:-1]
        kept = bounded(value)
        if key not in target:
            target[key] = kept
        elif isinstance(target[key], list):
            target[key].append(kept)
        else:
            target[key] = [target[key], kept]
    return fields


class _Part:
    """One part of a multipart form while it arrives. A file's bytes are counted and dropped."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.data = bytearray()
        self.size = 0
        self.field = self.value = b""


async def _multipart(receive: Receive, content_type: str, limit: int) -> Body:
    # Imported when the first form arrives: most runs meet none.
    from python_multipart import MultipartParser  # noqa: PLC0415
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415

    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        return Body(broken="the content type multipart/form-data names no boundary")
    form = _Form(parse_options_header)
    try:
        parser = MultipartParser(boundary, callbacks=form.callbacks())
        size, more = 0, True
        while more:
            chunk, more = await _next(receive)
            size += len(chunk)
            if size > limit:
                raise TooLarge(limit)
            parser.write(chunk)
            if form.is_overfull:
                return Body(broken=f"the multipart form has more than {MAX_PARTS} parts")
        parser.finalize()
    except FormParserError as problem:
        return Body(broken=f"the multipart form can't be read: {problem}")
    if form.open or not form.is_closed:
        return Body(broken="the multipart form ends before its closing boundary")
    return Body(_folded(form.pairs))


class _Form:
    """Collects the parts of a multipart form from the parser's callbacks."""

    def __init__(self, parse_options: Callable[[str], tuple[bytes, dict[bytes, bytes]]]) -> None:
        self.pairs: list[tuple[str, Any]] = []
        self.open = False
        self.is_closed = False
        self.is_overfull = False
        self._parse_options = parse_options
        self._part = _Part()

    def callbacks(self) -> Any:
        """The callbacks by the names that the parser knows."""
        names = (
            "part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "headers_finished",
            "end",
        )  # fmt: skip
        return {f"on_{name}": getattr(self, f"_{name}") for name in names}

    def _part_begin(self) -> None:
        self._part, self.open = _Part(), True

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _header_end(self) -> None:
        part = self._part
        part.headers[part.field.decode("latin-1").lower()] = part.value.decode("latin-1")
        part.field = part.value = b""

    def _headers_finished(self) -> None:
        # The parser of options takes text and gives bytes, by way of Latin-1; clients write names in UTF-8.
        disposition = self._parse_options(self._part.headers.get("content-disposition", ""))[1]
        self._name = disposition.get(b"name", b"").decode("utf-8", "replace")
        filename = disposition.get(b"filename")
        self._filename = None if filename is None else filename.decode("utf-8", "replace")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._part.size += end - start
        if self._filename is None:
            self._part.data += data[start:end]

    def _part_end(self) -> None:
        self.open = False
        if len(self.pairs) >= MAX_PARTS:
            self.is_overfull = True
            return
        if self._filename is None:
            self.pairs.append((self._name, self._part.data.decode("utf-8", "replace")))
            return
        kind = self._part.headers.get("content-type", "application/octet-stream")
        self.pairs.append(
            (self._name, {"filename": self._filename, "content_type": kind, "size": self._part.size})
        )

    def _end(self) -> None:
        self.is_closed = True
