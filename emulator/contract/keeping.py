"""Evidence in a file, so that an interrupted run goes on where it was and makes no task twice."""

import os
from pathlib import Path

import msgspec

from emulator.contract.evidence import Evidence


class Unusable(ValueError):
    """The file can't be used. The text says why, and what to do."""


def default_path(provider: str) -> Path:
    """Where a run keeps its evidence, unless somebody says otherwise."""
    return Path(f".video-emulator-contract-{provider}.json")


def keep(path: Path, evidence: Evidence) -> None:
    """Write it down, whole or not at all.

    Raises:
        Unusable: it can't be written there.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(evidence))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as problem:
        reason = problem.strerror or problem
        raise Unusable(
            f"what the run has seen can't be kept in {path}: {reason}; name another --state"
        ) from None


def kept(path: Path, provider: str, base_url: str) -> Evidence:
    """What an earlier run saw of this provider.

    Raises:
        Unusable: there is none, it can't be read, or it is another run's.
    """
    try:
        evidence = msgspec.json.decode(path.read_bytes(), type=Evidence)
    except FileNotFoundError:
        raise Unusable(
            f"no interrupted run is kept in {path}: leave --resume out, or name its --state"
        ) from None
    except OSError as problem:
        raise Unusable(f"{path} can't be read: {problem.strerror or problem}") from None
    except msgspec.DecodeError:
        raise Unusable(
            f"{path} isn't the state of a run of this version: remove it, and begin anew"
        ) from None
    if (evidence.provider, evidence.base_url) != (provider, base_url):
        told = f"{evidence.provider} at {evidence.base_url}"
        raise Unusable(
            f"{path} is of a run against {told}: name another --state, or that provider and --base-url"
        )
    return evidence


def holds_creates(path: Path) -> bool:
    """Whether an interrupted run is kept there that may have made tasks; one that can't be read may have, too."""
    try:
        return bool(msgspec.json.decode(path.read_bytes(), type=Evidence).creates)
    except FileNotFoundError:
        return False
    except (OSError, msgspec.DecodeError):
        return True


def forget(path: Path) -> None:
    """The run has come to its end: there is nothing to go on with."""
    path.unlink(missing_ok=True)
