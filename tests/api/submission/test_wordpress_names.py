"""The names of the WordPress comment form are taken wherever ours are, and errors use ours."""

from tests.answers import codes_of, problem_of
from tests.cast import SUBMIT, House


async def test_the_names_of_the_wordpress_form_are_taken(house: House) -> None:
    form = {
        "author": "Dave",
        "email": "dave@mail.example",
        "url": "https://dave.example/",
        "comment": "From a form",
        "comment_post_ID": "17",
        "comment_parent": "0",
        "submit": "Post Comment",
    }
    for answer in (
        await house.dave.post(SUBMIT, data=form),
        await house.dave.post(SUBMIT, json=form),
    ):
        if answer.status_code == 202:
            looked_at = await house.look(answer.json()["id"])
    assert (looked_at.article, looked_at.name, looked_at.text, looked_at.url, looked_at.parent) == (
        "17",
        "Dave",
        "From a form",
        "https://dave.example/",
        None,
    )
    # The same under the same names in another encoding is the same comment.
    problem_of(await house.dave.post(SUBMIT, json=form), 409)


async def test_a_parent_under_its_wordpress_name_is_a_parent(house: House) -> None:
    parent = await house.publish(article="17")
    form = {
        "author": "Dave",
        "email": "dave@mail.example",
        "comment": "Re",
        "comment_post_ID": "17",
    }
    answer = await house.dave.post(SUBMIT, data={**form, "comment_parent": parent.id})
    assert (await house.look(answer.json()["id"])).parent == parent.id


async def test_errors_name_our_fields_for_wordpress_forms_too(house: House) -> None:
    form = {"author": "x" * 246, "email": "no", "comment_parent": "5", "url": "ftp://x.example"}
    async with house.nothing_changes():
        answer = await house.dave.post(SUBMIT, data=form)
    assert codes_of(problem_of(answer, 422)) == {
        "#/article": "article_required",
        "#/name": "name_too_long",
        "#/email": "email_invalid",
        "#/text": "text_required",
        "#/url": "url_not_allowed",
        "#/parent": "parent_invalid",
    }


async def test_no_parent_is_zero_as_text_or_number(house: House) -> None:
    for none in ("0", 0):
        fields = house.comment(comment_parent=none)
        answer = await house.dave.post(SUBMIT, json=fields)
        assert (await house.look(answer.json()["id"])).parent is None
