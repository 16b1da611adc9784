"""Reports hold no key, no id of a user and no signature, wherever a provider puts them."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract import baseline, comparison, keeping
from emulator.contract.calling import Ask, Came
from emulator.contract.masks import sample_of
from emulator.contract.report import report_of
from emulator.contract.written import FORMS, in_form
from emulator.contracts.contract import contract_of
from emulator.contracts.judgement import Response, judged
from emulator.core.words import OperationName, Profile
from emulator.providers import by_name
from tests.contract.runs import checked
from tests.contract.standin import PROFILES, PROVIDERS, StandIn
from tests.providers.json_values import JSON

SECRETS: Final = {
    "user_id": "11111111-aaaa-4bbb-8ccc-secretuser01",
    "application_id": "22222222-aaaa-4bbb-8ccc-secretapp002",
    "credential_id": "33333333-aaaa-4bbb-8ccc-secretcred03",
    "message": "SecretMessagePart",
    "header": "SecretHeaderValue",
    "link": "SecretSignature",
    "body": "SecretToken",
    "prompt": "SecretPrompt",
}
KEY: Final = "sk-good-SecretKeyOfMine"


@pytest.mark.parametrize("drift", [None, "error-shape", "added-field", "new-word"])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_planted_secret_reaches_a_report(
    provider: str, profile: str, drift: str | None, tmp_path: Path
) -> None:
    """In no form, nor what is kept for an interruption, nor a baseline."""
    drifts = () if drift is None else (drift,)
    with StandIn(provider, profile=profile, drift=drifts, key=KEY, secrets=SECRETS) as standin:
        evidence = asyncio.run(
            checked(provider, standin.url, KEY, tasks=list(standin.tasks.values()), creates=1)
        )
    assert any(observation.findings[Profile(profile)] for observation in evidence.observations)
    twins = comparison.twins_in(evidence, Profile(profile))
    report = report_of(evidence, twins=twins)
    keeping.keep(tmp_path / "state.json", evidence)
    baseline.write(tmp_path / "baseline.txt", report)
    texts = [in_form(form, report) for form in FORMS]
    texts += [(tmp_path / name).read_text(encoding="utf-8") for name in ("state.json", "baseline.txt")]
    for secret in (*SECRETS.values(), KEY):
        assert not any(secret in text for text in texts), secret


def test_a_key_that_is_refused_isn_t_told() -> None:
    """Though the provider says it back."""
    with StandIn("octopusx", key="sk-another", secrets=SECRETS) as standin:
        evidence = asyncio.run(checked("octopusx", standin.url, KEY))
    report = report_of(evidence)
    assert any("was refused" in problem for problem in report.problems)
    assert not any(KEY in in_form(form, report) for form in FORMS)


class _SaysItBack(BaseHTTPRequestHandler):
    """A provider that puts the key wherever a text can stand: names, statuses, codes, ids."""

    def do_GET(self) -> None:
        """Any task."""
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        task = {
            "id": self.path.rpartition("/")[2],
            "object": key,
            "status": key,
            f"debug_{key}": key,
            "error": {"code": key},
        }
        body = json.dumps(task).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.mark.parametrize("key", ["sk-good-ab", "secretkey", "sk-live-0123456789abcdef"])
def test_a_key_that_is_said_back_everywhere_is_hidden(key: str) -> None:
    """As a member's name, a status, a code: short ones, and such as look like words, too."""
    heard: list[str] = []
    with HTTPServer(("127.0.0.1", 0), _SaysItBack) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        evidence = asyncio.run(checked("octopusx", url, key, tasks=["video_1"], tell=heard.append))
        server.shutdown()
        thread.join()
    report = report_of(evidence)
    assert (
        any("debug_" in drift.finding.member or "<key>" in drift.finding.member for drift in report.drifts)
        or heard
    )
    assert not any(key in in_form(form, report) for form in FORMS)
    assert not any(key in line for line in heard)
    assert key not in msgspec.json.encode(evidence).decode()
    assert "sk-nobodys" not in msgspec.json.encode(evidence).decode()


def _texts_in(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, list):
        return set().union(*map(_texts_in, value)) if value else set()
    if isinstance(value, dict):
        return set(value) | (set().union(*map(_texts_in, value.values())) if value else set())
    return set()


@given(
    provider=st.sampled_from(sorted(by_name)),
    body=JSON,
    secret=st.from_regex(r"[A-Za-z0-9]{12,30}[0-9]", fullmatch=True),
)
def test_a_sample_holds_no_text_of_a_body(provider: str, body: Any, secret: str) -> None:
    """But words that the contract knows, words without a figure in the places of words, and names."""
    contract = contract_of(provider)
    planted = {
        "user_id": secret,
        "data": [secret, {secret: body}],
        "status": secret,
        "n": int.from_bytes(secret.encode()),
    }
    response = Response(status_code=200, headers={"content-type": secret, "set-cookie": secret}, body=planted)
    came = Came(response=response, head=b"", length=None, now=0, took=0)
    sample = sample_of(contract, Ask(method="GET", url=f"http://h/{secret}"), "/v1/x", came)
    shown = {text for text in _texts_in(sample.body) if text != secret}  # a member's name is shown
    assert not any(secret in text for text in shown)
    assert secret not in "".join(value for name, value in sample.headers.items() if name != "content-type")
    assert str(planted["n"]) not in str(sample.body)


@given(provider=st.sampled_from(sorted(by_name)), profile=st.sampled_from(Profile), body=JSON)
def test_a_finding_holds_no_value_of_a_body(provider: str, profile: Profile, body: Any) -> None:
    """Whatever the body is, it is judged, and what is said of it holds no text with a figure in it."""
    response = Response(
        status_code=200, headers={}, body={"id": "secret-1234567890", "x": body, "status": "s3cr3tw0rd"}
    )
    for operation in (OperationName.POLL, OperationName.CREATE):
        for finding in judged(contract_of(provider), operation, profile, response).findings:
            assert "1234567890" not in finding.got
            assert "s3cr3tw0rd" not in finding.got
