"""A PostgreSQL or a Redis that cannot be worked with: one line that names it, and status 2."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.keyboard import complaint, type_command
from tests.processes import Server, find_free_port
from tests.servers import start_private_postgres, start_private_redis

PASSWORD = "correct-horse"
# Roles and databases that make each mistake possible; `owner` and `good` make none.
SET_UP = f"""
CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE weak LOGIN; CREATE ROLE idle;
CREATE ROLE reader LOGIN; CREATE ROLE lost LOGIN; ALTER ROLE lost SET search_path = nowhere;
CREATE DATABASE good OWNER owner; CREATE DATABASE fresh;
CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0;
"""
# What the owner has to prove; everybody else is let in as who they say they are.
ACCESS = "host good owner all scram-sha-256\nhost all all all trust\n"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """Give a PostgreSQL with one database that can be worked with, and others that cannot."""
    with start_private_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            for statement in SET_UP.split(";")[:-1]:
                connection.execute(statement)
            [file] = connection.execute("SHOW hba_file").fetchone() or [""]
            Path(file).write_text(ACCESS)
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Path:
    """Give the folder of an installation in the good database."""
    folder = tmp_path_factory.mktemp("installed")
    assert type_command(folder, at(postgres, "owner", "good", PASSWORD), "migrate").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def private_redis() -> Iterator[Server]:
    """Give a Redis that wants a password, and has a user who may do next to nothing."""
    with start_private_redis() as server, redis.Redis.from_url(server.url) as client:
        client.acl_setuser("weak", enabled=True, passwords=[f"+{PASSWORD}"], commands=["+ping"])
        client.config_set("requirepass", PASSWORD)
        yield server


def at(server: Server, role: str, name: str, password: str = "") -> dict[str, str]:
    """Give the environment of somebody who uses a database in a role."""
    host = urlsplit(server.url).netloc.rpartition("@")[2]
    login = f"{role}:{password}" if password else role
    return {"GREENROOM_DATABASE_URL": f"postgresql://{login}@{host}/{name}"}


# Role, password, database with options, command, and what the line says beside the database's name.
DATABASES = {
    "no password": ("owner", "", "good", "serve", "no password supplied"),
    "wrong password": ("owner", "wrong-horse", "good", "serve", "password authentication failed"),
    "no such role": ("nobody", "", "fresh", "migrate", 'role "nobody" does not exist'),
    "role that may not log in": ("idle", "", "fresh", "migrate", "not permitted to log in"),
    "no such database": ("weak", "", "missing", "migrate", 'database "missing" does not exist'),
    "no TLS there": ("weak", "", "fresh?sslmode=require", "migrate", "does not support SSL"),
    "no such TLS mode": ("weak", "", "fresh?sslmode=yes", "migrate", "sslmode"),
    "no such option": ("weak", "", "fresh?colour=red", "migrate", '"colour"'),
    "no right to make tables": ("weak", "", "fresh", "migrate", "GRANT CREATE ON SCHEMA"),
    "no right to read tables": ("weak", "", "good", "serve", "ALTER DATABASE good OWNER"),
    "no schema": ("lost", "", "fresh", "migrate", "find a schema"),
    "no Unicode": ("weak", "", "ascii", "migrate", "encoding SQL_ASCII"),
    "not migrated": ("weak", "", "fresh", "serve", "greenroom migrate"),
}


@pytest.mark.parametrize("mistake", DATABASES)
def test_a_postgresql_that_cannot_be_used_is_named(
    installed: Path, postgres: Server, taken_port: str, mistake: str
) -> None:
    role, password, name, command, why = DATABASES[mistake]
    port = ["--port", taken_port] if command == "serve" else []
    line = complaint(installed, at(postgres, role, name, password), command, *port)
    assert why in line
    if mistake != "not migrated":
        assert f" {name.partition('?')[0]} " in line or "GREENROOM_DATABASE_URL" in line
    for private in (PASSWORD, "wrong-horse"):
        assert private not in line


@pytest.mark.parametrize("command", ["serve", "migrate", "log verify"])
def test_a_server_that_is_away_is_named(tmp_path: Path, command: str) -> None:
    port = find_free_port()
    url = f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/good"
    line = complaint(tmp_path, {"GREENROOM_DATABASE_URL": url}, *command.split())
    assert f"127.0.0.1:{port}" in line
    assert "Connection refused" in line
    assert PASSWORD not in line


def test_a_role_that_may_only_read_is_told_what_it_lacks(
    installed: Path, postgres: Server, taken_port: str
) -> None:
    owner = at(postgres, "owner", "good", PASSWORD)
    with psycopg.connect(owner["GREENROOM_DATABASE_URL"]) as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    reader = at(postgres, "reader", "good")
    line = complaint(installed, reader, "serve", "--port", taken_port)
    assert "may not INSERT or UPDATE or DELETE" in line
    assert "GRANT SELECT, INSERT, UPDATE, DELETE" in line


# The form of the URL, and what the line says.
REDISES = {
    "no password": ("redis://{host}", "another user or password"),
    "wrong password": ("redis://:wrong-horse@{host}", "another user or password"),
    "no such user": ("redis://ann:{password}@{host}", "another user or password"),
    "no rights": ("redis://weak:{password}@{host}", "no permissions"),
    "no such database": ("redis://:{password}@{host}/99", "DB index is out of range"),
    "no such option": ("redis://:{password}@{host}?colour=red", "an option"),
    "no TLS": ("rediss://:{password}@{host}?ssl_cert_reqs=none", "no TLS is spoken there"),
    "no TLS in a cluster": ("rediss+cluster://:{password}@{host}", "no TLS is spoken there"),
    "no TLS at a Sentinel": ("rediss+sentinel://:{password}@{host}/main", "no TLS is spoken"),
    "no certificates": (
        "rediss://{host}?ssl_ca_certs=/no/such/file",
        "`ssl_ca_certs` is not there",
    ),
    "no good certificates": ("rediss://{host}?ssl_ca_certs=/etc/passwd", "TLS cannot be set up"),
    "no such TLS": ("rediss://{host}?ssl_min_version=9", "TLS cannot be set up"),
    "no TLS of the future": ("rediss://{host}?ssl_min_version=" + "9" * 20, "TLS cannot be"),
    "no such name": ("redis://:{password}@{host}?client_name=a%20b", "Client names"),
    "no such ciphers": ("rediss://{host}?ssl_ciphers={password}", "TLS cannot be set up"),
    "no socket": ("unix:///etc", "is no socket"),
    "no Sentinel": ("redis+sentinel://{host}/main?sentinel_password={password}", "SENTINEL"),
    "no cluster": ("redis+cluster://:{password}@{host}", "luster"),
}


@pytest.mark.parametrize("mistake", REDISES)
def test_a_redis_that_will_never_do_is_named(
    installed: Path, postgres: Server, private_redis: Server, taken_port: str, mistake: str
) -> None:
    form, why = REDISES[mistake]
    host = urlsplit(private_redis.url).netloc
    environment = at(postgres, "owner", "good", PASSWORD)
    environment["GREENROOM_REDIS_URL"] = form.format(host=host, password=PASSWORD)
    line = complaint(installed, environment, "serve", "--port", taken_port)
    assert "GREENROOM_REDIS_URL" in line
    assert why in line
    for private in (PASSWORD, "wrong-horse"):
        assert private not in line
