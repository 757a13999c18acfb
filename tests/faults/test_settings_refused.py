"""Variables that cannot be meant as they stand: one line that names the variable, and status 2."""

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

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
    ("DATABASE_URL", "postgresql://ann:secret%00@host/name", "control character"),
    ("DATABASE_URL", "postgresql://ann:secret%0Aword@host/name", "control character"),
    ("DATABASE_URL", "postgresql://ann:secret\nword@host/name", "control character"),
    ("DATABASE_URL", "postgresql://ann:secret%ff@host/name", "%25"),
    ("DATABASE_URL", "postgresql://ann:secret\udcff@host/name", "no UTF-8"),
    ("DATABASE_URL", "sqlite:////tmp/a%00b", "control character"),
    ("DATABASE_URL", "sqlite:///~/greenroom", "whole path"),
    ("DATABASE_URL", "sqlite:///$HOME/greenroom", "whole path"),
    ("DATABASE_URL", f"postgresql://ann:secret@{'h' * 300}/name", "a host that cannot be"),
    ("DATABASE_URL", "postgresql://ann:secret@a..b/name", "a host that cannot be"),
    ("DATABASE_URL", "postgresql://ann:secret@a b/name", "a host that cannot be"),
    ("DATABASE_URL", "postgresql://%2Frun%2Fpostgresql/name", "a host that cannot be"),
    ("DATABASE_URL", "postgresql:///name?host=a b", "a host that cannot be"),
    ("DATABASE_URL", "postgresql://", "names no host"),
    ("DATABASE_URL", "postgresql:///name", "names no host"),
    ("DATABASE_URL", "postgresql:///name?host=", "names no host"),
    ("DATABASE_URL", "postgresql://ann:secret@host", "names no database"),
    ("DATABASE_URL", "postgresql:///?host=/run/postgresql", "names no database"),
    ("DATABASE_URL", "postgresql://ann:secret@::1/name", "[::1]"),
    ("DATABASE_URL", "postgresql://ann:secret@fe80::1:5432/name", "[::1]"),
    ("DATABASE_URL", "postgresql://ann:secret@one:1,two:2/name", "?host=one:5432&host=two:5432"),
    ("DATABASE_URL", "postgresql://ann:secret@one,two/name", "?host=one:5432&host=two:5432"),
    ("DATABASE_URL", "postgresql://host/name?connect_timeout=abc", "`connect_timeout`"),
    ("DATABASE_URL", "postgresql://host/name?port=secret", "`port`"),
    ("DATABASE_URL", "postgresql://host/name?sslmode=a&sslmode=b", "more than once"),
    ("DATABASE_URL", "postgresql://host/name?autocommit=1", "no option of PostgreSQL"),
    ("DATABASE_URL", "postgresql://host/name?conninfo=host%3Dsecret", "no option of PostgreSQL"),
    ("DATABASE_URL", "sqlite:////srv/folder/", "does not name a file alone"),
    ("STANDBY_URL", "postgresql://ann:secret@host/name", "only a PostgreSQL has a standby"),
    ("STANDBY_URL", "postgresql://ann:secret%00@host/name", "control character"),
    ("STANDBY_URL", "sqlite:////tmp/x", "does not name a PostgreSQL"),
    ("STANDBY_URL", "postgresql://ann:secret@host:abc/name", "no number"),
    ("REDIS_URL", "http://:secret@host", "redis://"),
    ("REDIS_URL", "redis://:secret@host:abc", "a port that is none"),
    ("REDIS_URL", "redis://host/one", "database"),
    ("REDIS_URL", "redis://:secret@host:0", "a port that is none"),
    ("REDIS_URL", "redis://:secret@host?max_connections=-5", "a value that cannot be"),
    ("REDIS_URL", "redis://:secret@host?encoding=nonsense", "none of client_name, db"),
    ("REDIS_URL", "redis+cluster://:secret@host?db=3", "none of client_name, health"),
    ("REDIS_URL", "unix://", "names no socket"),
    ("SECRET_KEY", "short", "at least 32 characters"),
    ("SECRET_KEY", f"{LONG} {LONG} {LONG}", "the new and the old one"),
    ("SECRET_KEY", LONG + "\udcff", "no UTF-8"),
    ("SECRET_KEY_FILE", "~/key", "whole path"),
    ("SECRET_KEY_FILE", "$HOME/key", "whole path"),
    ("SECRET_KEY_FILE", "/dev/zero", "no regular file"),
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
    ("PUBLIC_URL", "https://..", "https://talk.example"),
    ("PUBLIC_URL", "https://a..example", "https://talk.example"),
    ("PUBLIC_URL", "https://-", "https://talk.example"),
    ("PUBLIC_URL", "https://talk-.example", "https://talk.example"),
    ("PUBLIC_URL", f"https://{'h' * 64}.example", "https://talk.example"),
    ("PUBLIC_URL", "https://999.999.999.999", "https://talk.example"),
    ("PUBLIC_URL", "https://127.1", "https://talk.example"),
    ("PUBLIC_URL", "https://1:2:3", "https://talk.example"),
    ("PUBLIC_URL", "https://talk.example:", "https://talk.example"),
    ("PUBLIC_URL", "https://talk.example?", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://talk.example#", "more than scheme, host and port"),
    ("PUBLIC_URL", "https://talk\n.example", "a line break"),
    ("PUBLIC_URL", "https://talk\udce4.example", "no UTF-8"),
    ("PUBLIC_URL", '"https://talk.example"', "quotation marks"),
    ("PURGE_URL", "varnish", "http://"),
    ("PURGE_URL", "http://varnish:abc", "port"),
    ("PURGE_URL", "http://varnish\n/purge", "a line break"),
    ("PURGE_URL", "http://999.999.999.999/", "https://talk.example"),
    ("METRICS_TOKEN", "x", "at least 16"),
    ("METRICS_TOKEN", "ä" * 20, "A-Z"),
    ("METRICS_TOKEN", "two words of it here", "A-Z"),
    ("DATA_DIR", "~/data", "whole path"),
    ("DATA_DIR", "$HOME/data", "whole path"),
    ("DATA_DIR", "/srv/a\udcff", "no UTF-8"),
    ("DATA_DIR", "/srv/a\nb", "a line break"),
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
    [pytest.param(*mistake, id=f"{mistake[0]}-{number}") for number, mistake in enumerate(MISTAKES)],
)
def test_a_variable_that_cannot_be_used_is_one_line(tmp_path: Path, name: str, value: str, why: str) -> None:
    line = complaint(tmp_path, {PREFIX + name: value}, "migrate")
    assert PREFIX + name in line
    assert why in line
    for private in ("secret", "ann:", LONG):
        assert private not in line.replace("secret key", "")


def test_two_keys_for_one_thing_are_one_too_many(tmp_path: Path) -> None:
    both = {"GREENROOM_SECRET_KEY": LONG, "GREENROOM_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert "GREENROOM_SECRET_KEY_FILE are both set" in complaint(tmp_path, both, "migrate")


def test_a_key_in_a_pipe_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    line = complaint(tmp_path, {"GREENROOM_SECRET_KEY_FILE": str(pipe)}, "migrate")
    assert f"{pipe} is no regular file" in line


def test_a_file_that_is_no_key_is_not_read_to_its_end(tmp_path: Path) -> None:
    film = tmp_path / "film"
    with film.open("wb") as file:
        file.truncate(1 << 40)
    line = complaint(tmp_path, {"GREENROOM_SECRET_KEY_FILE": str(film)}, "migrate")
    assert f"{film} is too long" in line


def test_where_the_folder_of_the_call_is_gone_a_whole_path_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    line = complaint(tmp_path, {"GREENROOM_DATA_DIR": ""}, "migrate")
    assert "GREENROOM_DATA_DIR" in line
    assert "starts with /" in line
    line = complaint(tmp_path, {"GREENROOM_DATABASE_URL": "sqlite:///here"}, "migrate")
    assert "GREENROOM_DATABASE_URL" in line
    assert "sqlite:////absolute/path" in line


def test_a_path_may_hold_what_means_something_in_a_url() -> None:
    settings = load_settings({"GREENROOM_DATA_DIR": "/srv/100%41?/ü"})
    assert make_url(settings.database_url).database == "/srv/100%41?/ü/greenroom.sqlite3"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:pass%25word@[::1]:5433/name",
        "postgresql://10.0.0.1/name",
        "postgresql://my_db-1.example./name",
        "postgresql://ann@/name?host=/run/postgresql",
        "postgresql:///name?host=one:5432&host=two:5433",
        "postgresql://one/name?connect_timeout=5&sslmode=require",
    ],
)
def test_every_form_of_a_place_is_taken(url: str) -> None:
    settings = load_settings({"GREENROOM_DATABASE_URL": url})
    given, kept = make_url(url), make_url(settings.database_url)
    assert kept == given.set(drivername="postgresql+psycopg")


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
        ("http://10.0.0.1", "http://10.0.0.1"),
        ("http://talk_1.example.", "http://talk_1.example."),
    ):
        assert load_settings({"GREENROOM_PUBLIC_URL": given}).public_url == kept
