"""Which values look like secrets, and hiding them. Pure; errs on the side of hiding."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

MASK = "••••"
_NAMES = re.compile(
    r"KEY|TOKEN|SECRET|CREDENTIAL|PRIVATE|COOKIE|ENCRYPTION|SIGNING|PASS(?:WORD|WD|PHRASE)"
    r"|(?:PASS|PWD|SALT)(?![A-Za-z])|(?<![A-Za-z])(?:AUTH|DSN)(?![A-Za-z])",
    re.IGNORECASE,
)
"""Of variables, options, headers and keys of JSON (DB_PASS and MYSQL_PWD, but not PASSES)."""
_BY_CHANCE = re.compile(
    r"TOKENI[SZ]ERS?|KEY_?(?:BOARD|MAP|WORD|FRAME|SPACE|STROKE|ERROR)|KEY(?:CLOAK|DB)|(?:MON|TUR|DON|HOT)KEY"
    r"|SANDBOXKEY|TOPOLOGYKEY|KEY\.PEM$",
    re.IGNORECASE,
)
"""Words that have one of the others in them and are no secret: also what Docker, Kubernetes and Python say."""
_PLAIN_NAMES = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK"})
# Prefixes that makers of tokens give them, so that they are found when they leak: Hugging Face, OpenAI and Anthropic,
# GitHub, GitLab, AWS, Slack, NVIDIA NGC; and PEM.
_VALUES = re.compile(
    r"hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|glpat-[\w-]{16,}|AKIA[A-Z0-9]{12,}"
    r"|xox[abpr]-[\w-]{10,}|nvapi-[\w-]{16,}"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----)[\s\S])*+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
    r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"
)
# Each of these begins where little else does, and looks at a bounded part of a long word: texts of a megabyte, which
# anybody may put into a label or a command, are read in a time that grows with their length alone.
_URL_PASSWORD = re.compile(r"(?P<before>://[^\s:@/]*:)(?P<password>[^\s/]+)(?=@)")
_WORDS = "token|key|api[_-]?key|sig|signature|password|passwd|secret"
_QUERY = re.compile(rf"(?P<before>(?:[?&;]|(?<![\w.-])--)[\w.-]{{0,64}}?(?:{_WORDS})[= ])[^\s&;#]+", re.IGNORECASE)
_PAIR = re.compile(r"(?P<before>--env=|-e)?(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)

_NAME = r"(?<![A-Za-z_])(?P<name>[A-Za-z_][\w.-]{0,127})"
_ASSIGNED = re.compile(_NAME + r"(?:=|:\s*)")
_SAID = re.compile(_NAME + r"['\"]?\s{0,9}[=:]\s{0,9}")
"""As _ASSIGNED, in prose and in what Python or JSON shows of a dictionary."""
_ASSIGNED_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s;&|]+")
_SAID_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s;&|,)}\]]+")
_OPTION = re.compile(r"--?[\w.-]+")
_BEARER = re.compile(r"(?P<before>\b(?:bearer|basic)\s+)[^\s'\"]+", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what is called so most likely is a secret: it is carried, but not shown."""
    return name not in _PLAIN_NAMES and _NAMES.search(_BY_CHANCE.sub("", name)) is not None


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


def masked_prose(text: str) -> str:
    """A message for a record: as masked_text, and what is given in it to a name that is a secret's."""
    text = _BEARER.sub(lambda found: found["before"] + MASK, text)
    return masked_text(_without_values(text, _SAID, _SAID_VALUE, is_secret_name))


def _without_values(text: str, assigned: re.Pattern[str], value: re.Pattern[str], hides: Callable[[str], bool]) -> str:
    """The text, MASK in place of what is assigned to a name that hides it ("failed: TOKEN=x": to the second)."""
    parts, at = [], 0
    while (found := assigned.search(text, at)) is not None:
        given = value.match(text, found.end()) if hides(found["name"]) else None
        parts.append(text[at : found.end()] + MASK * (given is not None))
        at = given.end() if given else found.end()
    return "".join(parts) + text[at:]


def masked_pair(text: str) -> str:
    """ "NAME=VALUE" (also "-eNAME=VALUE") with its value hidden where it looks like a secret; else as masked_text."""
    pair = _PAIR.match(text)
    if pair is None:
        return masked_text(text)
    return f"{pair['before'] or ''}{pair['name']}={masked_value(pair['name'], pair['value'])}"


def masked_option(name: str, value: str) -> str:
    """The value of a volume's or network's option: as masked_value, and so each part of a list, as a mount's `o` is."""
    if value and is_secret_name(name):
        return MASK
    return ",".join(masked_pair(part) for part in value.split(","))


def masked_command(arguments: Sequence[str]) -> str:
    """A command as one line for a record: values hidden whose option, variable or header is called like a secret."""
    return " ".join(text if text == MASK else shlex.quote(text) for text in masked_words(arguments))


def masked_words(arguments: Sequence[str]) -> list[str]:
    """The words of a command, hidden as in masked_command."""
    shown: list[str] = []
    hide = False
    for argument in arguments:
        shown.append(MASK if hide else _masked_argument(argument))
        hide = not hide and _OPTION.fullmatch(argument) is not None and _names_secret(argument)
    return shown


def _masked_argument(argument: str) -> str:
    option, equals, _ = argument.partition("=")
    if equals and _OPTION.fullmatch(option) and _names_secret(option):
        return f"{option}={MASK}"
    argument = _BEARER.sub(lambda found: found["before"] + MASK, argument)
    return masked_text(_without_values(argument, _ASSIGNED, _ASSIGNED_VALUE, _names_secret))


def _names_secret(name: str) -> bool:
    return is_secret_name(name.lstrip("-"))


def masked_json(name: str | int | None, text: str) -> str:
    """A text in JSON as it may be shown; name: its key, or its place in a list."""
    if isinstance(name, str) and text and is_secret_name(name):
        return MASK
    return masked_pair(text)
