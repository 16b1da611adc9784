"""Redaction: API keys and their like leave as marks, which tell one key from another and nothing more.

A key is known by where it stands: a header, a field of JSON or of a form, or a parameter of a query whose name speaks
of keys. What was presented there is replaced wherever else it turns up in the exchange, however it is spelt.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import orjson

_SHORTEST: Final = 4
"""A key of fewer characters is replaced only where it stands as one: it would be found in every text."""
_TELLING: Final = 8
"""The same for what a field or a parameter holds, which may be no key at all, and for digits within numbers."""
_REACH: Final = 256
"""A longer key is known by so many characters of its beginning: journals cut what is long."""
_DEEPEST: Final = 64
_SCHEMES: Final = frozenset({"bearer", "basic", "digest", "token", "apikey", "key"})
_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization"})
_WORDS: Final = frozenset(
    {
        "key", "keys", "apikey", "apikeys", "token", "secret", "secrets", "password", "passwords", "passwd",
        "passphrase", "pwd", "signature", "sig", "credential", "credentials", "auth", "authorization", "cookie",
        "cookies", "jwt", "bearer",
    }
)  # fmt: skip
# Patterns are texts: each is compiled when it is first used, which no start needs to wait for.
_WORD: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"
_RUN_TOGETHER: Final = (
    r"(?:(?:api|access|secret|private|auth|session|client)keys?|token|secret|password|signature)$"
)
_NAMESPACED: Final = r"sk-ns-(?:(?!--)[!-~])+--"
_ASSIGNS: Final = r"(?<![\w.%\-\[\]])([\w.%\-\[\]]{1,100})=([^&;,\s\"'<>\\])"
_END_OF_VALUE: Final = r"[&;,\s\"'<>\\]|\Z"
_IN_JSON: Final = (
    r'(?s)("(?:[^"\\]|\\.){1,100}"\s*:\s*)(?:"((?:[^"\\]|\\.)*)"?|(-?[0-9][0-9.eE+-]*)|(?=[{\[]))'
)
_IN_QUOTES: Final = r'(?s)"((?:[^"\\]|\\.)*)'
_BETWEEN_SIGNS: Final = r"[^,;:=\"']+"
_VALUES: Final = r"=([^;,\s]+)"
_ELISION_ENDS: Final = " more characters)"
_ELIDED: Final = r"\.\.\. \([0-9]+ more characters\)\Z"
_ESCAPED: Final = r"(?s)\\u([0-9a-fA-F]{4})|\\(.)"


def mark(secret: str) -> str:
    """What stands in place of a key: always the same for the same key, in every namespace and every run.

    Of a key that names a namespace, that part stays.
    """
    known = secret[:_REACH]
    digest = blake2b(known.encode("utf-8", "replace"), digest_size=4, person=b"key mark").hexdigest()
    namespaced = re.match(_NAMESPACED, known)
    return f"{namespaced[0] if namespaced else ''}[key {digest}]"


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether what goes by this name is a key or its like: ``X-Api-Key`` and ``sig`` are, ``max_tokens`` isn't."""
    words = [word.lower() for word in re.findall(_WORD, name)]
    return any(word in _WORDS or re.search(_RUN_TOGETHER, word) for word in words)


# What a request presents


def presented(
    headers: Mapping[bytes, bytes], query: bytes = b"", fields: Any = None, text: str = ""
) -> Iterator[str]:
    """The keys that stand in a request where keys stand, whichever of them the provider looks at.

    ``text``: a body that is no JSON, in place of its ``fields``.
    """
    for name, value in headers.items():
        if name.decode("latin-1").lower() in _CREDENTIALS:
            yield from _words_of(value)
        elif is_secret(name.decode("latin-1")):
            yield value.decode("latin-1").strip()
            yield from _telling(*re.findall(_VALUES, value.decode("latin-1")))
    for part in query.decode("latin-1").split("&") if query else ():
        name_of, _, value_of = part.partition("=")
        if is_secret(unquote_plus(name_of)):
            yield from _telling(*_split(unquote_plus(value_of)))
    yield from _held(fields, 0)
    for found in re.finditer(_IN_JSON, text):
        if is_secret(_plain(found[1])):
            # Behind a bracket all that follows may belong to it: nobody can tell where it ends.
            held = (
                [found[2] or found[3]]
                if found[2] or found[3]
                else re.findall(_IN_QUOTES, text[found.end() :])
            )
            yield from _telling(*(part for value in held for part in _split(_plain(value))))


def _words_of(value: bytes) -> Iterator[str]:
    # A client may have meant UTF-8; what servers hand over is Latin-1.
    for text in {value.decode("latin-1"), value.decode("utf-8", "replace")}:
        words = text.split()
        has_scheme = len(words) > 1 and words[0].lower() in _SCHEMES
        if not has_scheme:
            yield text.strip()
        for word in words[1:] if has_scheme else words:
            yield word
            yield from _telling(*_pieces(word))


def _pieces(word: str) -> Iterator[str]:
    """What may be the key in a word: in ``Bearer:sk-abc``, ``Bearersk-abc``, ``sk-ns-a--rest``."""
    yield from re.findall(_BETWEEN_SIGNS, word)
    if word.lower().startswith("bearer"):
        yield word[len("bearer") :]
        yield word[len("bearer") + 1 :]
    namespaced = re.match(_NAMESPACED, word)
    if namespaced:
        yield word[namespaced.end() :]


def _held(value: Any, depth: int) -> Iterator[str]:
    """The keys among JSON values, by the names of their fields."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _held(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, depth + 1) if is_secret(name) else _held(item, depth + 1)


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield from _telling(*_split(re.sub(_ELIDED, "", value)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _telling(str(value))
    elif isinstance(value, dict | list) and depth <= _DEEPEST:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item, depth + 1)


def _split(value: str) -> tuple[str, ...]:
    """A value as it is, and the words that it has besides a scheme's."""
    words = value.split()
    return (value, *words[1:]) if words and words[0].lower() in _SCHEMES else (value,)


def _telling(*values: str) -> Iterator[str]:
    yield from (value for value in values if len(value) >= _TELLING)


# What leaves


class Redactor:
    """Replaces the keys of one exchange."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret[:_REACH] for secret in secrets if len(secret) >= _SHORTEST}
        # The longest first: a key may begin as another does.
        self._secrets = tuple(sorted(known, key=lambda secret: (-len(secret), secret)))
        self._shortest = len(self._secrets[-1]) if self._secrets else 0

    def text(self, text: str, *, is_cut: bool = False) -> str:
        """A text without keys; ``is_cut``: a key at its end may have lost its own end."""
        if "=" in text:
            text = _unassigned(text)
        if not self._secrets:
            return text
        if len(text) >= self._shortest and self._holds_any(text):
            text = _replacing(self._secrets)(text)
        is_elided = text.endswith(_ELISION_ENDS)
        if not is_cut and not is_elided:
            return text
        elision = re.search(_ELIDED, text)
        end = len(text) if elision is None else elision.start()
        return self._without_beginning(text[:end]) + text[end:]

    def _holds_any(self, text: str) -> bool:
        # Looking is much cheaper than replacing, and nearly every text holds no key.
        for secret in self._secrets:
            if secret in text:
                return True
        if "%" not in text and "\\" not in text:
            return False
        read = {unquote(text), _plain(text), _plain(unquote(text))}
        sought = {*self._secrets, *(_plain(unquote(secret)) for secret in self._secrets)}
        return any(secret in reading for reading in read for secret in sought)

    def _without_beginning(self, text: str) -> str:
        """The text without the beginning of a key at its end."""
        for secret in self._secrets:
            for length in range(min(len(secret), len(text)), _SHORTEST - 1, -1):
                if text.endswith(secret[:length]):
                    return text[:-length] + mark(secret)
        return text

    def document(self, text: str, *, is_cut: bool = False) -> str:
        """The same for a text that may have been meant as JSON."""
        return self.text(_without_fields(text) if '"' in text else text, is_cut=is_cut)

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON value without keys.

        Raises:
            RecursionError: it is nested deeper than any body that is taken.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict | list) and depth > _DEEPEST:
            raise RecursionError
        if isinstance(value, dict):
            return {self.text(name): self._field(name, item, depth) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value)
        return value

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if not is_secret(name) or not value or isinstance(value, bool):
            return self.value(value, depth + 1)
        if isinstance(value, str):
            return _credentials(re.sub(_ELIDED, "", value))
        return mark(orjson.dumps(value).decode())

    def _number(self, value: float) -> Any:
        written = str(value)
        holds_any = len(written) >= _TELLING and any(
            len(secret) >= _TELLING and secret in written for secret in self._secrets
        )
        return mark(written) if holds_any else value

    def headers(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        """Header fields without keys; those of one name have their values joined."""
        told: dict[str, str] = {}
        for name_of, value_of in headers:
            name, value = name_of.decode("latin-1"), value_of.decode("latin-1")
            value = _credentials(value) if is_secret(name) else self.text(value)
            name = self._header_name(name)
            told[name] = f"{told[name]}, {value}" if name in told else value
        return told

    def _header_name(self, name: str) -> str:
        # Servers hand over names of headers in lower case.
        for secret in self._secrets:
            if len(secret) >= _TELLING and secret.lower() in name.lower():
                return mark(name)
        return name

    def query(self, query: bytes) -> str:
        """A query without keys, else as it came."""
        return self.text("&".join(map(_parameter, query.decode("latin-1").split("&"))))


def _credentials(value: str) -> str:
    """``Bearer [key 3f9a2c1b]``: every word is replaced but a scheme's."""
    words = value.split()
    kept = words[:1] if words and words[0].lower() in _SCHEMES else []
    return " ".join([*kept, *map(mark, words[len(kept) :])])


def _parameter(part: str) -> str:
    name, _, value = part.partition("=")
    return f"{name}={mark(unquote_plus(value))}" if value and is_secret(unquote_plus(name)) else part


def _unassigned(text: str) -> str:
    """The text without the values of what looks like a parameter with a key: ``...?a=b&sig=abc``."""
    told, place = [], 0
    for found in re.finditer(_ASSIGNS, text):
        begin = found.start(2)
        if begin < place or not is_secret(unquote_plus(found[1])):
            continue
        end = re.compile(_END_OF_VALUE).search(text, begin)
        assert end is not None  # a text has an end
        value = text[begin : end.start()]
        if not value.endswith("[key"):  # else a mark stands there already, and the rest of it follows a blank
            told += [text[place:begin], mark(unquote_plus(value))]
            place = end.start()
    return "".join([*told, text[place:]])


def _without_fields(text: str) -> str:
    """A text that reads somewhat like JSON without the values of fields whose names speak of keys."""
    told, place = [], 0
    for found in re.finditer(_IN_JSON, text):
        name, value, number = found.groups()
        if not is_secret(_plain(name)):
            continue
        told.append(text[place : found.start()] + name)
        if value is None and number is None:
            return "".join([*told, mark(text[found.end() :])])  # where the bracket ends nobody can tell
        told.append(f'"{_credentials(_plain(value))}"' if number is None else f'"{mark(number)}"')
        place = found.end()
    return "".join([*told, text[place:]])


def _plain(text: str) -> str:
    """A text as JSON would read it."""
    return re.sub(_ESCAPED, _unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


@lru_cache(maxsize=256)
def _replacing(secrets: tuple[str, ...]) -> Callable[[str], str]:
    """A function that puts marks in place of these keys, whichever way they are spelt."""
    pattern = re.compile("|".join(f"({_spellings_of(secret)})" for secret in secrets))
    marks = [mark(secret) for secret in secrets]
    return lambda text: pattern.sub(lambda found: marks[(found.lastindex or 1) - 1], text)


def _spellings_of(secret: str) -> str:
    """A pattern of a key as it is, percent-encoded, or escaped as in JSON, character by character."""
    written = "".join(map(_spelling, secret))
    # Of a key that is longer than what is known of it the rest goes too.
    return written if len(secret) < _REACH else rf"{written}[^\s\"'<>&,;}}\]\\]*"


@lru_cache(maxsize=512)
def _spelling(character: str) -> str:
    ways = [re.escape(character), rf"\\u(?i:{ord(character):04x})"]
    encoded = {character.encode("utf-8", "replace"), character.encode("latin-1", "replace")}
    ways.extend("".join(f"%(?i:{byte:02x})" for byte in data) for data in encoded)
    if character in '"\\/':
        ways.append(re.escape(f"\\{character}"))
    # The longest first: a backslash that escapes is no backslash.
    ways.sort(key=len, reverse=True)
    return f"(?:{'|'.join(ways)})"
