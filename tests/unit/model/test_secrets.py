"""What looks secret is hidden, and what does not is shown."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.inspected import attachments, environment, health_command, health_runs
from backends.model.process import process_of
from backends.model.secrets import (
    MASK,
    is_secret_name,
    masked_json,
    masked_option,
    masked_pair,
    masked_prose,
    masked_text,
    masked_value,
    masked_words,
)

HIDDEN = ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "POSTGRES_PASSWORD", "MYSQL_PWD", "OPENAI_API_KEY", "DSN")
SHOWN = ("PATH", "PWD", "SSH_AUTH_SOCK", "KEYBOARD", "MONKEY", "AUTHOR", "NVIDIA_VISIBLE_DEVICES", "PASSES")


@pytest.mark.parametrize("name", HIDDEN)
def test_secrets_by_their_name(name: str) -> None:
    assert masked_value(name, "value") == MASK
    assert masked_pair(f"{name}=value") == f"{name}={MASK}"
    assert masked_pair(f"--env={name}=value") == f"--env={name}={MASK}"
    assert masked_json(name, "value") == MASK
    assert masked_value(name, "") == ""


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_none_is_shown(name: str) -> None:
    assert masked_pair(f"{name}=value") == f"{name}=value"


def test_a_password_among_the_options_of_a_mount() -> None:
    assert (
        masked_option("o", "addr=10.0.0.1,username=me,password=hunter2") == f"addr=10.0.0.1,username=me,password={MASK}"
    )
    assert masked_option("secret", "hunter2") == MASK
    assert masked_option("device", "//10.0.0.1/data") == "//10.0.0.1/data"


TEXTS = {
    "postgres://me:hunter2@db/x": f"postgres://me:{MASK}@db/x",
    "use hf_abcdefghijklmnopqrst now": f"use {MASK} now",
    "http://x/?token=abc&y=1": f"http://x/?token={MASK}&y=1",
    "serve --api-key abc --port 1": f"serve --api-key {MASK} --port 1",
    "http://x/?access_token=abc&y=1": f"http://x/?access_token={MASK}&y=1",
    "https://b.s3.amazonaws.com/w?X-Amz-Signature=abc": f"https://b.s3.amazonaws.com/w?X-Amz-Signature={MASK}",
    "redis://me:p@ss:w@db/0": f"redis://me:{MASK}@db/0",
    "lab --NotebookApp.token=abc": f"lab --NotebookApp.token={MASK}",
    "python train.py --lr 3e-4": "python train.py --lr 3e-4",
}


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_by_their_looks(text: str) -> None:
    assert masked_text(text) == TEXTS[text]


@pytest.mark.parametrize("letters", ["a", "-", "eyJ", "a-", "--a", "://a:", "a:", "a=", "a='", "-----BEGIN "])
def test_a_long_text_is_read_in_a_time_that_grows_with_its_length_alone(letters: str) -> None:
    """By the square of it these would take hours, and nothing else would be drawn meanwhile."""
    text = letters * (200_000 // len(letters))
    for said in (masked_text(text), masked_pair(text), masked_prose(text), *masked_words([text])):
        assert said == text


MESSAGES = {
    "KeyError: 'web'": "KeyError: 'web'",
    "{'HF_TOKEN': 'abc', 'LR': '3e-4'}": f"{{'HF_TOKEN': {MASK}, 'LR': '3e-4'}}",
    '{"password": "a b", "n": 1}': f'{{"password": {MASK}, "n": 1}}',
    "failed: DB_PASSWORD=abc, retried": f"failed: DB_PASSWORD={MASK}, retried",
    "X-Api-Key: abc": f"X-Api-Key: {MASK}",
    "Authorization: Bearer abc.def": f"Authorization: Bearer {MASK}",
    "k -----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\nMII\n-----END RSA PRIVATE KEY----- z": f"k {MASK} z",
    "k -----BEGIN PRIVATE KEY-----\nMII\nMII": f"k {MASK}",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_secrets_in_a_message(text: str) -> None:
    assert masked_prose(text) == MESSAGES[text]


def test_what_both_engines_inspect_tells() -> None:
    run = {"Start": "2026-01-01T00:00:00Z", "End": "2026-01-01T00:00:01Z", "ExitCode": 1, "Output": "no\n"}
    raw: dict[str, object] = {
        "Config": {"Env": ["B=2", "A=1=1"], "Healthcheck": {"Test": ["CMD-SHELL", "true"]}},
        "State": {"Health": {"Log": [{**run, "ExitCode": 0}, run]}},
        "NetworkSettings": {"Networks": {"net": {"IPAddress": "10.0.0.2", "IPPrefixLen": 24, "Aliases": None}}},
    }
    assert environment(raw) == (("A", "1=1"), ("B", "2"))
    assert [one.exit_code for one in health_runs(raw)] == [1, 0]
    assert health_runs({"State": {"Healthcheck": {"Log": None}}}) == ()
    assert health_command(raw) == "true"
    assert attachments(raw)[0].address == "10.0.0.2/24"
    assert (environment({}), health_runs({}), health_command({}), attachments({})) == ((), (), "", ())


def test_a_process_is_what_ps_writes() -> None:
    one = process_of(["12", "root", "1.5", "100", "00:10", "sleep", "5"])
    assert (one.pid, one.cpu_percent, one.memory_bytes, one.command) == (12, 1.5, 102_400, "sleep 5")
    with pytest.raises(ValueError, match="columns"):
        process_of(["12"])


FORMER = (
    r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PASS(?![A-Za-z])|[^A-Za-z]PWD(?![A-Za-z])",
    r"TOKEN|SECRET|PASS(?:WORD|WD|PHRASE)?(?:$|_)|PWD$|CREDENTIAL|(?:^|_)AUTH(?:$|_)|PRIVATE|COOKIE|(?:^|_)DSN(?:$|_)"
    r"|API_?KEY|ACCESS_?KEY|(?:^|_)KEY(?:$|_)|ENCRYPTION|SIGNING|SALT(?:$|_)",
)
"""What plans and exports took for a secret's name, and what the screen and the audit trail did, when these were two."""
_PART = st.sampled_from([
    "KEY", "TOKEN", "SECRET", "PASS", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "PWD", "AUTH", "PRIVATE",
    "COOKIE", "DSN", "API", "ACCESS", "ENCRYPTION", "SIGNING", "SALT", "DB", "x", "S", "ED", "1", "_", "-", ".",
])  # fmt: skip
_SHOWN_NOW = re.compile(r"(?:OLD)?PWD|SSH_AUTH_SOCK")


@given(st.lists(_PART, min_size=1, max_size=5).map("".join), st.sampled_from([str.upper, str.lower, str.title]))
def test_whatever_was_a_secrets_name_is_one(name: str, spelt: Callable[[str], str]) -> None:
    name = spelt(name)
    if any(re.search(former, name, re.IGNORECASE) for former in FORMER) and not _SHOWN_NOW.fullmatch(name):
        assert is_secret_name(name) or "KEYDB" in name.upper()


@pytest.mark.parametrize(
    "name", ["KEYBOARD", "Monkey", "TOKENIZERS_PARALLELISM", "KeyError", "SandboxKey", "KEYCLOAK_URL", "key.pem"]
)
def test_a_word_that_has_another_in_it_by_chance(name: str) -> None:
    assert not is_secret_name(name)
    assert is_secret_name(f"{name}_PASSWORD")
    assert is_secret_name(f"API_KEY_{name}")
