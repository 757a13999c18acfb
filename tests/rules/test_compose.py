"""compose.yaml gives every container as little as it needs, and names what is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.server.serving import longest_stop_seconds
from service.settings import Settings

REPOSITORY = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROMETHEUS = yaml.safe_load((REPOSITORY / "docs/operations/prometheus.yml").read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_nothing_but_its_work(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    # Whoever starts as root needs powers to become somebody else. Ours, and Prometheus', never do.
    assert service.get("user") or service["image"].startswith(("greenroom", "prom/"))


def test_no_secret_comes_from_the_environment() -> None:
    """Compose refuses that for a container with a read-only root."""
    assert "secrets" not in COMPOSE
    assert [name for name, service in SERVICES.items() if "secrets" in service] == []


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            known = (REPOSITORY / source).is_file() if "/" in source else source in COMPOSE["volumes"]
            assert known, source


def test_every_variable_is_made_by_the_lines_at_the_top() -> None:
    text = (REPOSITORY / "compose.yaml").read_text()
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    [made] = re.findall(r"for name in ([\w ]+);", text)
    assert asked - {"GREENROOM_PUBLIC_URL"} == set(made.split())
    guide = (REPOSITORY / "docs/operations/docker.md").read_text()
    assert f"for name in {made};" in guide


def test_a_process_has_time_to_end() -> None:
    seconds = int(SERVICES["service"]["stop_grace_period"].removesuffix("s"))
    assert seconds > longest_stop_seconds(Settings().drain_seconds)


def test_prometheus_asks_each_replica_with_the_token() -> None:
    [job] = PROMETHEUS["scrape_configs"]
    [names] = job["dns_sd_configs"]
    assert names["names"] == ["service"]
    assert "service" in SERVICES
    assert f"EXPOSE {names['port']}\n" in (REPOSITORY / "Dockerfile").read_text()
    [command] = [word for word in SERVICES["prometheus"]["entrypoint"] if "exec" in word]
    assert f"> {job['authorization']['credentials_file']} " in command
    mounted = [volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"]]
    folder = Path(re.findall(r"--config.file=(\S+)", command)[0]).parent
    assert {str(folder / file) for file in PROMETHEUS["rule_files"]} <= set(mounted)
