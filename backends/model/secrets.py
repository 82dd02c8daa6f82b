"""Which values look like secrets, and hiding them. Pure; errs on the side of hiding."""

from __future__ import annotations

import re

MASK = "••••"
_NAMES = re.compile(
    r"TOKEN|SECRET|PASS(?:WORD|WD|PHRASE)?(?:$|_)|PWD$|CREDENTIAL|(?:^|_)AUTH(?:$|_)|PRIVATE|COOKIE|(?:^|_)DSN(?:$|_)"
    r"|API_?KEY|ACCESS_?KEY|(?:^|_)KEY(?:$|_)|ENCRYPTION|SIGNING|SALT(?:$|_)",
    re.IGNORECASE,
)
_PLAIN_NAMES = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY"})
# Prefixes that makers of tokens give them, so that they are found when they leak: Hugging Face, OpenAI and Anthropic,
# GitHub, GitLab, AWS, Slack, NVIDIA NGC; and PEM.
_VALUES = re.compile(
    r"hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|glpat-[\w-]{16,}|AKIA[A-Z0-9]{12,}"
    r"|xox[abpr]-[\w-]{10,}|nvapi-[\w-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
)
_URL_PASSWORD = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s:@/]*:)(?P<password>[^\s@/]+)(?=@)", re.IGNORECASE)
_WORDS = "token|key|api[_-]?key|sig|signature|password|passwd|secret"
_QUERY = re.compile(rf"(?P<before>(?:[?&;]|--[\w.-]*?)(?:{_WORDS})[= ])[^\s&;#]+", re.IGNORECASE)
_PAIR = re.compile(r"(?P<before>--env=|-e)?(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name most likely holds a secret."""
    return name not in _PLAIN_NAMES and _NAMES.search(name) is not None


def masked_value(name: str, value: str) -> str:
    """The value of a variable as it may be shown: hidden whole by its name, else what looks like a secret in it."""
    if value and is_secret_name(name):
        return MASK
    return masked_text(value)


def masked_text(text: str) -> str:
    """A text with what looks like secrets in it hidden: tokens by their prefix, passwords and tokens in addresses."""
    text = _VALUES.sub(MASK, text)
    text = _URL_PASSWORD.sub(lambda found: found["before"] + MASK, text)
    return _QUERY.sub(lambda found: found["before"] + MASK, text)


def masked_pair(text: str) -> str:
    """ "NAME=VALUE" (also "-eNAME=VALUE") with its value hidden where it looks like a secret; else as masked_text."""
    pair = _PAIR.match(text)
    if pair is None:
        return masked_text(text)
    return f"{pair['before'] or ''}{pair['name']}={masked_value(pair['name'], pair['value'])}"


def masked_json(name: str | int | None, text: str) -> str:
    """A text in JSON as it may be shown; name: its key, or its place in a list."""
    if isinstance(name, str) and text and is_secret_name(name):
        return MASK
    return masked_pair(text)
