"""All that the house does with a field of the form follows from its line in the table.

Whoever adds a line gives two values here, and the tests below say whatever else is missing.
"""

import re
from pathlib import Path

import pytest

from service.comments.tables import Comment
from service.form.fields import FIELDS, HIDDEN, SHOWN, Field
from service.sites.policy import find_faults
from service.submission.schemas import FormLimits, SubmitComment
from service.text.languages import LANGUAGES, read_words
from service.wordpress.form_scan import describe_scans, scan_file
from tests.answers import problem_of
from tests.api.submission.test_form_answers import Inputs
from tests.cast import SUBMIT, House
from tests.rules.test_docs import read_rows

# Of each field two values that are taken; `parent` has the ids of comments.
VALUES = {
    "article": ("/post", "/other"),
    "name": ("Dave", "David"),
    "email": ("dave@mail.example", "david@mail.example"),
    "text": ("A text.", "Another."),
    "url": ("https://dave.example/", "https://david.example/"),
    "redirect_to": ("https://blog.example/a", "https://blog.example/b"),
}
every_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)


async def fill_in(house: House) -> dict[str, tuple[str, str]]:
    """Give the two values of every field; both comments that are answered stand under either article."""
    one, other = [(await house.publish(article="/post")).id for _ in range(2)]
    values = {**VALUES, "parent": (one, other)}
    return {field.name: values[field.name] for field in FIELDS}


def test_the_document_and_the_docs_have_every_field_under_both_names() -> None:
    assert set(SubmitComment.__struct_fields__) == {field.name for field in FIELDS}
    documented = {name: row[0].strip("`") for name, row in read_rows("api.md", "field").items()}
    assert documented == {field.name: field.names[-1] for field in FIELDS}


def test_a_form_is_told_of_every_field_that_it_shows() -> None:
    assert set(FormLimits.__struct_fields__) == {field.name for field in SHOWN}
    for language in LANGUAGES:
        assert all(read_words(language)[field.name] for field in SHOWN)


@every_field
async def test_a_value_that_is_too_long_is_told_under_our_name(house: House, field: Field) -> None:
    long = "x" * (field.max_raw_chars + 1)
    for name in field.names:
        fields = {name: value[0] for name, value in VALUES.items() if name != field.name}
        answer = await house.dave.post(SUBMIT, json={**fields, name: long})
        assert answer.status_code == (202 if field.is_aside else 422)
        if not field.is_aside:
            [error] = problem_of(answer, 422).errors or []
            assert (error.pointer, error.code) == (field.pointer, f"{field.name}_too_long")


async def test_what_is_wrong_with_every_field_is_said_at_once_in_their_order(house: House) -> None:
    answer = await house.dave.post(SUBMIT, json={field.name: [] for field in FIELDS})
    found = [(error.pointer, error.code) for error in problem_of(answer, 422).errors or []]
    assert found == [(field.pointer, f"{field.name}_invalid") for field in FIELDS]
    missing = [error.code for error in problem_of(await house.dave.post(SUBMIT, json={}), 422).errors or []]
    assert missing == [f"{field.name}_required" for field in FIELDS if field.is_required]


async def test_the_page_of_errors_has_all_that_was_typed(house: House) -> None:
    values = {name: one for name, (one, _) in (await fill_in(house)).items()}
    form = {**values, "email": "no address", "remember": "what nobody knows"}
    for names in ({name: name for name in form}, {field.name: field.wordpress for field in FIELDS}):
        sent = {names.get(name) or name: value for name, value in form.items()}
        page = (await house.dave.post("/sites/blog/wp-comments-post.php", data=sent)).text
        typed = Inputs(page).values
        assert {field.name: typed[field.name] for field in FIELDS} == {
            name: value for name, value in form.items() if name in values
        }
        hidden = set(re.findall(r'<input type="hidden" name="(\w+)"', page))
        assert hidden == {field.name for field in HIDDEN}
        # In the order in which the form shows them.
        shown = re.findall(r'<label part="label" for="(\w+)"', page)
        assert shown == [field.name for field in SHOWN]
        assert "stranger-" not in page


@every_field
def test_no_setting_takes_the_text_from_it(field: Field) -> None:
    for name in field.names:
        found = find_faults({}, {"form.text_field": f"real,{name}"})
        assert bool(found) == (name != "comment")


@every_field
async def test_a_request_is_another_one_where_it_differs(house: House, field: Field) -> None:
    values = await fill_in(house)
    first = {name: one for name, (one, _) in values.items()}
    other = {**first, field.name: values[field.name][1]}
    if field.name == "article":
        del first["parent"], other["parent"]
    key = {"idempotency-key": "k"}
    assert (await house.dave.post(SUBMIT, json=first, headers=key)).status_code == 202
    again = await house.dave.post(SUBMIT, json=other, headers=key)
    assert again.status_code == (202 if field.is_aside else 422)
    # And by no key at all it is a repeat, unless it stands elsewhere or says something else.
    repeated = await house.dave.post(SUBMIT, json=other)
    is_another = field.tells_repeats or field.name in {"article", "parent"}
    assert repeated.status_code == (202 if is_another else 409)


async def test_the_row_has_every_column(house: House) -> None:
    values = {name: one for name, (one, _) in (await fill_in(house)).items()}
    comment_id = (await house.dave.post(SUBMIT, json=values)).json()["id"]
    rows = {str(row["id"]): row for row in (await house.state())["comment"]}
    columns = [field.name for field in FIELDS if field.is_in_row]
    assert set(columns) <= set(Comment.model_fields)
    assert [rows[comment_id][name] for name in columns] == [values[name] for name in columns]


@every_field
def test_a_saved_page_is_told_what_it_is_for(field: Field, tmp_path: Path) -> None:
    for name in field.names:
        page = tmp_path / "page.html"
        page.write_text(f'<form id="commentform" action="/wp-comments-post.php"><input name="{name}">')
        said = list(describe_scans([scan_file(page)]))
        [line] = [line for line in said if line.strip().startswith(f"{name}:")]
        assert field.meaning in line
