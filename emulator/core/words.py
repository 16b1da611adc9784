"""The closed vocabularies that every other module speaks: statuses, operations, profiles, named errors."""

from enum import StrEnum


class Word(StrEnum):
    """A text of a closed list."""

    # Enum's own hash is written in Python; polls look words up in tables a dozen times.
    __hash__ = str.__hash__


class Status(Word):
    """What a task is doing, in neutral words; each provider prints its own."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class OperationName(Word):
    """What a client can ask for. Rules, limits and auth name operations by these words."""

    CREATE = "create"
    POLL = "poll"
    CONTENT = "content"
    DOWNLOAD = "download"
    LIST = "list"
    CANCEL = "cancel"
    """No source shows that one of the four has it: a word for rules of providers to come."""
    DELETE = "delete"
    REMIX = "remix"


class Profile(Word):
    """Which of a provider's two faces answers: its document's, or its newest public clients' and specifications'."""

    DOCUMENTED = "documented"
    CURRENT = "current"


class ErrorName(Word):
    """The named errors of the scenario language. Each provider owns status code, body and headers of each."""

    NO_TOKEN = "no_token"
    INVALID_TOKEN = "invalid_token"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_MISMATCHED = "token_mismatched"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    BAD_REQUEST = "bad_request"
    NOT_IMPLEMENTED = "not_implemented"
    NOT_FOUND = "not_found"
    CONTENT_REJECTED = "content_rejected"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"


class FaultName(Word):
    """What can be wrong with one answer on the wire."""

    CONNECTION_RESET = "connection_reset"
    TRUNCATE_BODY = "truncate_body"
    STALL = "stall"
    EMPTY_RESPONSE = "empty_response"
    HANG = "hang"
    MALFORMED_CHUNK = "malformed_chunk"
    RANDOM_DATA = "random_data"
    WRONG_LENGTH = "wrong_length"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    INVALID_JSON = "invalid_json"
    HTML_ERROR_PAGE = "html_error_page"


class Situation(Word):
    """Refusals that no scenario names but every provider must word: they follow from the request alone."""

    NO_ROUTE = "no_route"
    """The path, or the method on it, is none of the provider's."""
    NOT_READY = "not_ready"
    """The content was asked for before the task completed."""
    MEDIA_GONE = "media_gone"
    """The content was asked for after the link behind it had died."""
    TOO_LARGE = "too_large"
    """The body is larger than the emulator reads for this operation."""
    BROKEN_BODY = "broken_body"
    """The body is not what its content type says (JSON that doesn't parse, a form without its boundary)."""
