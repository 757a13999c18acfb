"""Variables that cannot be meant as they stand: one line that names the variable, and status 2."""

from pathlib import Path

import pytest

from service.environment import PREFIX
from service.settings import load_settings
from tests.keyboard import complaint

LONG = "a" * 40
# Variable, value, and what the line says beside the variable's name.
MISTAKES = [
    ("DATABASE_URL", "postgresql://ann:secret@host:abc/name", "no number"),
    ("DATABASE_URL", "postgresql://ann:pass@secret@host/name", "%40"),
    ("DATABASE_URL", "postgresql://host:99999/name", "1 to 65535"),
    ("DATABASE_URL", "postgresql://host:0/name", "1 to 65535"),
    ("DATABASE_URL", "sqlite://x", "sqlite:////absolute/path"),
    ("DATABASE_URL", "sqlite://", "sqlite:////absolute/path"),
    ("DATABASE_URL", "sqlite:///:memory:", "sqlite:////absolute/path"),
    ("DATABASE_URL", "sqlite:////tmp/x?timeout=5", "sqlite:////absolute/path"),
    ("DATABASE_URL", "mysql://ann:secret@host/name", "neither SQLite nor PostgreSQL"),
    ("DATABASE_URL", "/var/lib/greenroom/db", "is not a URL"),
    ("DATABASE_URL", "postgresql://host/name?options=-csearch_path%3Dx", "ALTER ROLE"),
    ("STANDBY_URL", "sqlite:////tmp/x", "does not name a PostgreSQL"),
    ("STANDBY_URL", "postgresql://ann:secret@host:abc/name", "no number"),
    ("REDIS_URL", "http://:secret@host", "redis://"),
    ("REDIS_URL", "redis://:secret@host:abc", "its port"),
    ("REDIS_URL", "redis://host/one", "database"),
    ("SECRET_KEY", "short", "at least 32 characters"),
    ("SECRET_KEY", f"{LONG} {LONG} {LONG}", "the new and the old one"),
    ("SECRET_KEY_FILE", "~/key", "whole path"),
    ("TRUSTED_PROXIES", "proxy", "'proxy'"),
    ("TRUSTED_PROXIES", "*", "'*'"),
    ("TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/33"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
    ("PUBLIC_URL", "talk.example", "https://talk.example"),
    ("PUBLIC_URL", "ftp://talk.example", "https://talk.example"),
    ("PUBLIC_URL", "https://", "https://talk.example"),
    ("PUBLIC_URL", "https://talk.example:abc", "port"),
    ("PUBLIC_URL", "https://talk.example:99999", "port"),
    ("PUBLIC_URL", "https://talk.example:0", "https://talk.example"),
    ("PUBLIC_URL", "https://[::1", "port or a host"),
    ("PUBLIC_URL", "https://ann:secret@talk.example", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://talk.example/comments", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://talk.example/?a=b", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://talk.example/#top", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://*.example", "https://talk.example"),
    ("PUBLIC_URL", "https://tälk.example", "https://talk.example"),
    ("PUBLIC_URL", '"https://talk.example"', "quotation marks"),
    ("PURGE_URL", "varnish", "http://"),
    ("PURGE_URL", "http://varnish:abc", "port"),
    ("METRICS_TOKEN", "x", "at least 16"),
    ("METRICS_TOKEN", "ä" * 20, "A-Z"),
    ("METRICS_TOKEN", "two words of it here", "A-Z"),
    ("DATA_DIR", "~/data", "whole path"),
    ("DATA_DIR", "'/var/lib/greenroom'", "quotation marks"),
    ("PAGE_MAX_AGE_SECONDS", "-1", "seconds from 0 to 86400"),
    ("PAGE_MAX_AGE_SECONDS", "2s", "seconds from 0 to 86400"),
    ("PAGE_MEMORY_MIB", "99999", "MiB from 0 to 65536"),
    ("PAGE_MEMORY_MIB", "9" * 5_000, "MiB from 0 to 65536"),
    ("DRAIN_SECONDS", "1.5", "seconds from 0 to 600"),
    ("REDIS_PATIENCE_MILLISECONDS", "0", "milliseconds from 10 to 1000"),
    ("MAX_WAITING_SUBMISSIONS", "0", "submissions from 1 to 100000"),
    ("MAX_STREAMS", "many", "streams from 0 to 100000"),
    ("DATABASE_PATIENCE_SECONDS", "0", "seconds from 1 to"),
    ("PAGE_CONNECTIONS", "0", "connections from 1 to"),
    ("ACCESS_LOG", "maybe", "neither on nor off"),
    ("LOG_LEVEL", "verbose", "debug, info, warning, error"),
    ("DATABSE_URL", "postgresql://ann:secret@host/name", "Is GREENROOM_DATABASE_URL meant?"),
    ("PUBLICURL", "https://talk.example", "Is GREENROOM_PUBLIC_URL meant?"),
    ("METRIC_TOKEN", "secret", "Is GREENROOM_METRICS_TOKEN meant?"),
    ("SMTP_URL", "smtp://host", "docs/configuration.md"),
    ("PORT", "8000", "greenroom serve --port"),
]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        pytest.param(*mistake, id=f"{mistake[0]}-{number}")
        for number, mistake in enumerate(MISTAKES)
    ],
)
def test_a_variable_that_cannot_be_used_is_one_line(
    tmp_path: Path, name: str, value: str, why: str
) -> None:
    line = complaint(tmp_path, {PREFIX + name: value}, "migrate")
    assert PREFIX + name in line
    assert why in line
    for private in ("secret", "ann:", LONG):
        assert private not in line.replace("secret key", "")


def test_two_keys_for_one_thing_are_one_too_many(tmp_path: Path) -> None:
    both = {"GREENROOM_SECRET_KEY": LONG, "GREENROOM_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert "GREENROOM_SECRET_KEY_FILE are both set" in complaint(tmp_path, both, "migrate")


def test_what_a_cluster_injects_is_no_misspelt_variable() -> None:
    injected = {
        "GREENROOM_SERVICE_HOST": "10.0.0.1",
        "GREENROOM_SERVICE_PORT": "8000",
        "GREENROOM_SERVICE_PORT_HTTP": "8000",
        "GREENROOM_PORT": "tcp://10.0.0.1:8000",
        "GREENROOM_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "GREENROOM_PORT_8000_TCP_PROTO": "tcp",
        "GREENROOM_PORT_8000_TCP_PORT": "8000",
        "GREENROOM_PORT_8000_TCP_ADDR": "10.0.0.1",
        "GREENROOM_REDIS_MASTER_SERVICE_HOST": "10.0.0.2",
        "GREENROOM_REDIS_MASTER_PORT": "tcp://10.0.0.2:6379",
        "GREENROOM_REDIS_MASTER_PORT_6379_TCP_ADDR": "10.0.0.2",
    }
    assert load_settings(injected) == load_settings({})


def test_a_public_url_is_kept_as_browsers_write_it() -> None:
    for given, kept in (
        ("https://Talk.example:443/", "https://talk.example"),
        ("http://talk.example:80", "http://talk.example"),
        ("https://talk.example:8443", "https://talk.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ):
        assert load_settings({"GREENROOM_PUBLIC_URL": given}).public_url == kept
