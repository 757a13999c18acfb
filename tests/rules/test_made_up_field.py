"""A field that nobody has written about: an attribute more in the table and a column, and the house knows it.

It is added in a process of its own, before anything else is imported.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

REPOSITORY = Path(__file__).parent.parent.parent
# By module: before which line, and what is written there.
MADE_UP = {
    "service.comments.tables": (
        "    text: str\n    html: str\n    # The version",
        "    phone: str | None = None\n",
    ),
    "service.form.fields": (
        "    def as_columns(",
        """\
    phone: Annotated[
        str | None,
        Meta(max_length=20, description="Made up."),
        Field(
            meaning="the telephone",
            wordpress="telephone",
            wordpress_none=("-",),
            max_raw_chars=30,
            check=lambda raw, _: raw.strip(),
            is_in_row=True,
            tells_repeats=True,
        ),
    ]

""",
    ),
}


def test_all_that_is_done_with_a_field_follows_from_the_table() -> None:
    """The proof is `prove`, below: it prints what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rules.test_made_up_field"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "the document": ["phone", "telephone"],
        "errors": [["phone_too_long", "#/phone"]],
        "WordPress's name": "+43 1",
        "none under that": None,
        "no text under these": ["phone", "telephone"],
        "strangers": [],
        "sent back": "0" * 31,
        "a hidden field": True,
        "another request": True,
        "another comment": True,
        "the row": "+43 1",
        "saved pages": ["    telephone: the telephone"],
    }


def change_source(name: str, before: str, more: str) -> None:
    """Import a module with more in it."""
    path = REPOSITORY / f"{name.replace('.', '/')}.py"
    source = path.read_text("utf-8")
    assert source.count(before) == 1
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    code = compile(source.replace(before, more + before), path, "exec")
    exec(code, module.__dict__)  # noqa: S102 - It is our own.


def prove() -> dict[str, Any]:
    from service.app import create_app
    from service.form.fields import HIDDEN, make_fingerprint, read_submission
    from service.http.openapi.document import describe_api
    from service.settings import Settings
    from service.sites.directory import KnownSite
    from service.sites.policy import SitePolicy, find_faults
    from service.submission.drafts import make_key
    from service.submission.refusals import _find_typed
    from service.wordpress.form_scan import describe_scans, scan_file
    from service.wordpress.names import translate_names

    class Ring:
        def mac(self, _: str, *parts: bytes) -> bytes:
            return b"\n".join(parts)

    ring: Any = Ring()
    site = KnownSite(UUID(int=1), "blog", "Blog", (), SitePolicy())
    rest = {"article": "17", "name": "Dave", "email": "dave@mail.example", "text": "A text."}

    def read(**fields: str) -> Any:
        return read_submission(translate_names({**rest, **fields}), site)

    def print_of(submission: Any) -> bytes:
        return make_fingerprint(ring, site.id, "17", None, submission.as_columns())

    with tempfile.TemporaryDirectory() as folder:
        edge: Any = create_app(Settings(data_dir=Path(folder)))
        schemas = json.loads(describe_api(edge.table))["components"]["schemas"]
        page = Path(folder) / "page.html"
        page.write_text('<form id="commentform" action="/wp-comments-post.php"><input name="telephone">')
        said = list(describe_scans([scan_file(page)]))
    with_it, without = read(telephone=" +43 1 ")[0], read(telephone="-")[0]
    typed, strangers = _find_typed({**rest, "telephone": "0" * 1_000}, site)
    keys = [make_key(ring, one, "key").fields_hash for one in (with_it, without)]
    return {
        "the document": [name for name in schemas["SubmitComment"]["properties"] if "phone" in name],
        "errors": [(one.code, one.pointer) for one in read(telephone="0" * 31)[1]],
        "WordPress's name": with_it.phone,
        "none under that": without.phone,
        "no text under these": [
            name for name in ("phone", "telephone", "fax") if find_faults({}, {"form.text_field": name})
        ],
        "strangers": [one.name for one in strangers],
        "sent back": typed["phone"],
        "a hidden field": "phone" in [field.name for field in HIDDEN],
        "another request": keys[0] != keys[1],
        "another comment": print_of(with_it) != print_of(without),
        "the row": with_it.as_columns()["phone"],
        "saved pages": [line for line in said if "phone" in line and "plug" not in line],
    }


if __name__ == "__main__":
    for name, change in MADE_UP.items():
        change_source(name, *change)
    print(json.dumps(prove()))
