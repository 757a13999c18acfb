"""Reading variables of the environment: what each kind of value may be, and names that are none of ours.

Each reader takes the name of a setting and what was given, and raises SettingsInvalid, whose text names the
variable and says what to write. It repeats nothing that may be a secret.
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from service.text.hosts import has_controls, is_host

PREFIX = "GREENROOM_"
# A token that can be guessed opens what it guards; `openssl rand -hex 16` gives twice as many.
MIN_TOKEN_CHARS = 16
# What a header can carry as a bearer token (RFC 6750, section 2.1).
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# A name as browsers write it; whoever has another alphabet writes its ASCII form.
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_WEB_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?|[0-9a-f:.]+", re.IGNORECASE)
# To a browser such a host is an IPv4 address or nothing (WHATWG's URL Standard, "ends in a number").
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
# What a person may well write in several lines.
_MAY_HAVE_LINES = {"secret_key", "trusted_proxies"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ON, _OFF = {"on", "true", "1", "yes"}, {"off", "false", "0", "no"}
# What Kubernetes puts into every container where a Service is called greenroom, or greenroom-something.
_OF_A_CLUSTER = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_LINK = re.compile(r"(tcp|udp|sctp)://")
# What is said on the command line, and might be looked for here.
_OPTIONS = {"HOST", "PORT", "WORKERS"}
# Closer than this is a slip of the keyboard.
LIKENESS = 0.7


class SettingsInvalid(ValueError):
    """A variable of the environment cannot be used as it stands; the text says which and why."""


def invalid(name: str, why: str) -> SettingsInvalid:
    """Say what is wrong with the variable of a setting."""
    return SettingsInvalid(f"{PREFIX}{name.upper()} {why}")


def read_number(least: int, most: int, unit: str) -> Callable[[str, str], int]:
    """Make a reader of whole numbers within bounds."""

    def read(name: str, given: str) -> int:
        # Of more digits than the highest has, Python would read some and refuse others.
        is_number = given.isascii() and given.isdigit() and len(given) <= len(str(most))
        if not is_number or not least <= int(given) <= most:
            raise invalid(name, f"is not a number of {unit} from {least} to {most}")
        return int(given)

    return read


def read_choice(*choices: str) -> Callable[[str, str], str]:
    """Make a reader of one of several words."""

    def read(name: str, given: str) -> str:
        if given.lower() not in choices:
            raise invalid(name, f"is none of {', '.join(choices)}")
        return given.lower()

    return read


def read_switch(name: str, given: str) -> bool:
    """Read whether something is on."""
    if given.lower() not in _ON | _OFF:
        raise invalid(name, "is neither on nor off")
    return given.lower() in _ON


def read_path(name: str, given: str) -> Path:
    """Read the path of a file or folder."""
    refuse_unexpanded(name, given)
    return Path(given)


def refuse_unexpanded(name: str, path: str) -> None:
    """Refuse what only a shell would replace; here it would be a folder of this name."""
    if path.startswith(("~", "$")):
        raise invalid(name, f"starts with {path[0]}, which nobody replaces here: write the whole path")


def read_networks(name: str, given: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read networks or addresses, separated by commas."""
    try:
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    except ValueError as error:
        raise invalid(name, f"holds a bad network: {error}") from None


def read_token(name: str, given: str) -> str:
    """Read a bearer token."""
    if len(given) < MIN_TOKEN_CHARS or not _TOKEN.fullmatch(given):
        wanted = f"at least {MIN_TOKEN_CHARS} of A-Z a-z 0-9 . _ ~ + / -"
        raise invalid(name, f"needs {wanted}, such as from `openssl rand -hex 16`")
    return given


def read_origin(name: str, given: str) -> str:
    """Read scheme, host and port, as browsers write them in `Origin`."""
    url = _split_web_address(name, given)
    is_more = "?" in given or "#" in given or url.username is not None
    if url.path.strip("/") or is_more:
        raise invalid(name, "is more than scheme, host and port, such as https://talk.example")
    port = "" if url.port in {None, _DEFAULT_PORTS[url.scheme]} else f":{url.port}"
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}{port}"


def read_web_address(name: str, given: str) -> str:
    """Read a URL that starts with http:// or https:// and a host."""
    _split_web_address(name, given)
    return given


def _split_web_address(name: str, given: str) -> SplitResult:
    try:
        url = urlsplit(given)
        is_usable = url.scheme in _DEFAULT_PORTS and _is_web_host(url.hostname or "")
        has_port = url.port != 0 and not url.netloc.endswith(":")
    except ValueError:
        # What stands in the place of a port is no number, or too high; or a bracket is missing.
        why = "has a port or a host that cannot be: write it like https://talk.example"
        raise invalid(name, why) from None
    if not is_usable or not has_port:
        raise invalid(name, "is not http:// or https:// with a host, such as https://talk.example")
    return url


def _is_web_host(host: str) -> bool:
    """Tell whether a browser could be at a host; raises ValueError for an IPv4 address that is none."""
    if _ENDS_IN_NUMBER.fullmatch(host):
        IPv4Address(host)
    return _WEB_HOST.fullmatch(host) is not None and is_host(host)


def require_text(name: str, given: str) -> None:
    """Refuse bytes that are no UTF-8, and control characters, of which no value is made."""
    try:
        given.encode()
    except UnicodeError:
        raise invalid(name, "holds bytes that are no UTF-8: write it anew") from None
    if name not in _MAY_HAVE_LINES and has_controls(given):
        raise invalid(name, "holds a line break or another control character: take it out")


def refuse_quotes(name: str, given: str) -> None:
    """Refuse what a shell would have taken away, and `docker run --env-file` does not."""
    if len(given) > 1 and given[0] == given[-1] and given[0] in "\"'":
        raise invalid(name, "stands in quotation marks, which count here: leave them out")


def refuse_unknown(environ: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse a variable that is called like one of ours and is none; `known` holds names of settings."""
    variables = {PREFIX + name.upper() for name in known}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in variables and not _is_of_a_cluster(name, environ):
            raise SettingsInvalid(f"{name} is no setting. {_advise(name, known)}")


def _is_of_a_cluster(name: str, environ: Mapping[str, str]) -> bool:
    ours = name.removeprefix(PREFIX)
    is_link = ours.split("_")[-1] == "PORT" and _LINK.match(environ[name]) is not None
    return is_link or _OF_A_CLUSTER.fullmatch(ours) is not None


def _advise(variable: str, known: Collection[str]) -> str:
    name = variable.removeprefix(PREFIX)
    if name in _OPTIONS:
        return f"Say `greenroom serve --{name.lower()}` in its place, and unset it."
    # Without the prefix, which would make all of them alike.
    if close := difflib.get_close_matches(name.lower(), known, n=1, cutoff=LIKENESS):
        return f"Is {PREFIX}{close[0].upper()} meant?"
    return "Unset it; docs/configuration.md lists all that there are."
