"""docs/embedding names what the widget and the fragment have, and nothing else."""

import re
from pathlib import Path

import pytest

from service.publication.schemas import ShowFragment
from service.text.languages import LANGUAGES

REPOSITORY = Path(__file__).parent.parent.parent
EMBEDDING = REPOSITORY / "docs" / "embedding"
EXAMPLES = sorted((EMBEDDING / "examples").iterdir())
WEB = REPOSITORY / "service" / "web"
SCRIPT = "".join(file.read_text() for file in sorted((WEB / "widget").iterdir()))
STYLES = (WEB / "static" / "comments.css").read_text()
README = (EMBEDDING / "README.md").read_text()
OF_COUNT = {"site", "article"}


def read_names(heading: str) -> set[str]:
    """Read what stands in code in the first cells of the table with this first heading."""
    [table] = re.findall(rf"^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", README, re.MULTILINE)
    return {name for row in table.splitlines() for name in re.findall("`([^`]+)`", row.split("|")[1])}


def find_attributes() -> set[str]:
    """Find the attributes that the widget and its styles know."""
    element = (WEB / "widget" / "element.js").read_text()
    [observed] = re.findall(r"observedAttributes = \[(.*)\]", element)
    return {*re.findall(r'"(\w+)"', observed)}


def find_parts() -> set[str]:
    """Find the parts that the templates and the script name."""
    markup = "".join(
        (WEB / "templates" / f"{name}.html").read_text() for name in ("comments", "fields", "privacy")
    )
    named = re.findall(r'\bpart="([^"{]+)"', markup)
    named += re.findall(r'\bmake\("\w+", "([^"]+)"', SCRIPT)
    named += re.findall(r'\bmakeButton\(.+?, "([a-z ]+)", ', SCRIPT)
    named += re.findall(r'\.part\.add\("(\w+)"\)', SCRIPT)
    return {part for names in named for part in names.split()}


def test_every_attribute_is_documented() -> None:
    assert read_names("attribute") == find_attributes()


def test_every_event_is_documented() -> None:
    told = set(re.findall(r'\.tell\("(\w+)"', SCRIPT))
    assert read_names("event") == {f"greenroom:{name}" for name in told}


def test_every_property_is_documented() -> None:
    assert read_names("property") == set(re.findall(r"var\((--greenroom-[a-z-]+)", STYLES))


def test_every_part_is_documented() -> None:
    assert read_names("part") == find_parts()


def test_every_key_of_the_readers_browser_is_documented() -> None:
    used = re.findall(r'["`](greenroom:(?:\$|me|edit)[^"`]*)["`]', SCRIPT)
    used = [key for key in used if key != "greenroom:${name}"]
    spelt = {re.sub(r"\$\{(?:\w+\.)*(\w+)\}", lambda found: found[1].upper(), key) for key in used}
    assert read_names("key") == spelt


def test_every_language_is_documented() -> None:
    assert set(re.findall(r"`([a-z]{2})`", README)) == set(LANGUAGES)


def test_every_parameter_of_the_fragment_is_documented() -> None:
    page = (EMBEDDING / "without-javascript.md").read_text()
    parameters = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(parameters) == set(ShowFragment.__struct_fields__)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_has_existing_attributes_only(example: Path) -> None:
    text = example.read_text()
    known = {"comments": find_attributes(), "count": OF_COUNT}
    for kind, given in re.findall(r"<greenroom-(\w+)((?:\s+\w+=(?:\"[^\"]*\"|\{[^}]*\}))*)\s*>", text):
        names = set(re.findall(r"(\w+)=[\"{]", given))
        assert {"site", "article"} <= names <= known[kind]
    assert text.count("<greenroom-") == len(re.findall(r"<greenroom-\w+(?:\s+\w+=\S[^>]*)>", text))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_asks_the_service_alone(example: Path) -> None:
    hosts = set(re.findall(r"https?://([^/\"\s:{]+)", example.read_text()))
    assert hosts <= {"talk.example", "blog.example"}
