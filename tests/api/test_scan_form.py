"""Reading saved pages on the command line: what their forms hold, and what the site needs for them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from webencodings.labels import LABELS

from service.command_line.main import main
from service.wordpress.saved_pages import MAX_PAGE_BYTES
from tests.saved_pages import PLAIN, TRAP, make_saved_page

TRAP_SETTING = "greenroom site set SLUG form.text_field=d7dcf95a06"


def scan(folder: Path, *pages: str | bytes) -> tuple[int, str]:
    """Scan pages; gives the status that it ends with, and what it says."""
    files = []
    for number, page in enumerate(pages):
        files.append(folder / f"page-{number}.html")
        files[-1].write_bytes(page if isinstance(page, bytes) else page.encode())
    done = CliRunner().invoke(main, ["site", "scan-form", *map(str, files)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_every_field_is_named_with_what_it_is_taken_for(tmp_path: Path) -> None:
    status, said = scan(tmp_path, make_saved_page())
    assert status == 0
    for line in (
        "A comment form, posted to https://blog.example/wp-comments-post.php.",
        "The rule for /wp-comments-post.php goes to the page's own server, https://blog.example.",
        "comment: the text",
        "author: the name",
        "email: the address, which is never published",
        "url: the commenter's website",
        "comment_post_ID: the article, under the key 17",
        "comment_parent: the comment that is answered: none",
        "submit: the button; ignored",
        "wp-comment-cookies-consent: whether WordPress may set a cookie; ignored",
        "akismet_comment_nonce: a nonce of Akismet; ignored",
        "ak_hp_textarea: a honeypot of Akismet; ignored",
        "greenroom site set SLUG origins=https://blog.example",
        "# form.text_field is not needed.",
    ):
        assert line in [one.strip() for one in said.splitlines()], line
    assert "!" not in said


def test_a_trap_is_known_with_the_setting_that_it_needs(tmp_path: Path) -> None:
    status, said = scan(tmp_path, make_saved_page(text=TRAP))
    assert status == 0
    assert "d7dcf95a06: the text, under a name that the site has to know" in said
    assert "comment: a trap: who fills it is spam" in said
    assert f"  {TRAP_SETTING}\n" in said


def test_pages_with_and_without_the_trap_need_both_names(tmp_path: Path) -> None:
    other = TRAP.replace("d7dcf95a06", "f0e1d2c3b4")
    _, said = scan(tmp_path, *(make_saved_page(text=one) for one in (TRAP, other, PLAIN)))
    assert f"{TRAP_SETTING},f0e1d2c3b4,comment\n" in said


def test_where_the_page_does_not_tell_it_is_asked_to_look(tmp_path: Path) -> None:
    _, said = scan(tmp_path, make_saved_page(text=PLAIN + '<textarea name="more"></textarea>'))
    assert "more: the text, or a trap" in said
    assert "comment: the text, or a trap" in said
    assert "! Which field has the text is not clear: comment, more." in said
    assert "# form.text_field is not clear" in said
    assert "not needed" not in said


@pytest.mark.parametrize("other", [PLAIN, TRAP])
def test_one_page_that_does_not_tell_leaves_it_open_what_the_site_needs(tmp_path: Path, other: str) -> None:
    doubtful = make_saved_page(text=PLAIN + '<textarea name="more"></textarea>')
    _, said = scan(tmp_path, doubtful, make_saved_page(text=other))
    assert "# form.text_field is not clear" in said
    assert ("# The others need form.text_field=d7dcf95a06" in said) == (other == TRAP)
    assert "not needed" not in said
    # To be pasted it would be wrong.
    assert "greenroom site set SLUG form.text_field" not in said


def test_a_form_without_a_field_for_the_text_is_not_called_right(tmp_path: Path) -> None:
    _, said = scan(tmp_path, make_saved_page(text="<div contenteditable></div>"))
    assert "! No field is for a text" in said
    assert "not needed" not in said


def test_a_text_in_a_field_of_one_line_is_known_by_its_name(tmp_path: Path) -> None:
    _, said = scan(tmp_path, make_saved_page(text='<input name="comment">'))
    assert "comment: the text\n" in said
    assert "!" not in said


TOKENS = (
    *("g-recaptcha-response", "g-recaptcha-response-1", "h-captcha-response", "altcha"),
    *("cf-turnstile-response", "frc-captcha-solution", "mtcaptcha-verifiedtoken", "smart-token"),
    *("ak_bib", "jetpack_comments_nonce", "_wpnonce", "csrf_token", "formNonce", "hp-comment"),
)


@pytest.mark.parametrize("name", TOKENS)
def test_a_captcha_or_the_like_is_never_taken_for_the_text(tmp_path: Path, name: str) -> None:
    token = f'<div><textarea name="{name}"></textarea></div>'
    _, said = scan(tmp_path, make_saved_page(text=PLAIN + token))
    assert f"{name}: a " in said
    assert "comment: the text\n" in said
    assert "# form.text_field is not needed." in said
    # Beside a trap the real field is found all the same.
    _, said = scan(tmp_path, make_saved_page(text=token + TRAP))
    assert f"  {TRAP_SETTING}\n" in said


@pytest.mark.parametrize("name", ["annonce", "message", "d7dcf95a06", "tokenring", "mycomment"])
def test_a_field_that_is_called_otherwise_may_hold_the_text(tmp_path: Path, name: str) -> None:
    _, said = scan(tmp_path, make_saved_page(text=f'<textarea name="{name}"></textarea>'))
    assert f"greenroom site set SLUG form.text_field={name}\n" in said


@pytest.mark.parametrize(
    "form",
    [
        '<form id="commentform" class="comment-form">{}</form>',
        '<div id="commentform">{}</div>',
        '<form id="commentform" action="https://jetpack.wordpress.com/x">{}<input name="comment">',
    ],
)
@pytest.mark.parametrize("attribute", ["src", "data-lazy-src"])
def test_the_form_of_jetpack_gets_no_rule(tmp_path: Path, form: str, attribute: str) -> None:
    frame = f'<iframe {attribute}="https://jetpack.wordpress.com/jetpack-comment/?blogid=1"></iframe>'
    status, said = scan(tmp_path, form.format(frame))
    assert (status, "There is no comment form" in said) == (1, True)
    assert "! Comments are taken by Jetpack" in said
    assert "rule for" not in said


def test_a_form_to_sign_in_gets_no_rule(tmp_path: Path) -> None:
    page = """<form id="commentform" method="post" action="https://blog.example/wp-login.php?a=b#c">
        <input name="log"><input name="pwd"><input name="comment_post_ID" value="1"></form>"""
    status, said = scan(tmp_path, page)
    assert (status, "There is no comment form" in said) == (1, True)
    assert "rule for" not in said


def test_a_concealed_field_beside_the_usual_one_is_nothing(tmp_path: Path) -> None:
    honeypot = '<textarea name="more_comment" style="display: none"></textarea>'
    _, said = scan(tmp_path, make_saved_page(text=PLAIN + honeypot))
    assert "more_comment: ignored" in said
    assert "# form.text_field is not needed." in said


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("/wp-comments-post.php", "goes to the server that the page comes from."),
        ("../wp-comments-post.php", "goes to the server that the page comes from."),
        ("/a/../blog//wp-comments-post.php?x=1", "The rule for /blog/wp-comments-post.php goes"),
        ("//blog.example/my%20blog//post.php", 'In nginx: location = "/my blog/post.php" {'),
        ("", "! It is posted to a page of the site"),
        ("#respond", "! It is posted to a page of the site"),
        ("/waiting-rooms", "! It is posted to a page of the site"),
        ("https://old.example/", "! It is posted to a page of the site"),
        ("javascript:void(0)", "! Its action is no address"),
        ("https://old.example/wp-comments-post.php", "https://old.example, which the page"),
        (
            "http://blog.example/blog/wp-comments-post.php",
            "The rule for /blog/wp-comments-post.php",
        ),
        ("http://blog.example/wp-comments-post.php", "! The page is https and its form is not"),
        ("https://[broken/wp-comments-post.php", "! Its action is no address"),
    ],
)
def test_it_says_where_the_rule_has_to_stand(tmp_path: Path, action: str, told: str) -> None:
    status, said = scan(tmp_path, make_saved_page(action=action))
    assert status == 0
    assert told in said
    assert ("The rule for" in said) == (not told.startswith("! It"))


@pytest.mark.parametrize(
    "page", ["", "<p>No form.</p>", '<form action="/search"><input name="s"></form>', b"\x00\xff"]
)
def test_a_page_without_a_comment_form_ends_with_status_1(tmp_path: Path, page: str | bytes) -> None:
    status, said = scan(tmp_path, page)
    assert (status, "There is no comment form" in said) == (1, True)
    assert scan(tmp_path, make_saved_page(), page)[0] == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["site", "scan-form", str(tmp_path / "none.html")])
    assert (done.exit_code, "It cannot be read" in done.output) == (1, True)
    status, said = scan(tmp_path, b"x" * (MAX_PAGE_BYTES + 1))
    assert (status, "was not read" in said) == (1, True)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "koi8-r", "iso-2022-jp", "hex", "rot13"]
)
def test_a_page_in_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    page = make_saved_page().replace("UTF-8", encoding.removesuffix("-sig"))
    known = encoding not in {"hex", "rot13"}
    status, said = scan(tmp_path, page.encode(encoding if known else "utf-8"))
    assert status == 0
    assert "author: the name" in said
    # Of UTF-16 browsers send the form in UTF-8, and what is in ISO-8859-1 is read as that.
    read = {"utf-8-sig", "utf-16", "iso-8859-1"}
    assert ("save the page as UTF-8" in said) == (encoding not in read)


@pytest.mark.parametrize("label", sorted(LABELS))
def test_whatever_an_encoding_is_called_it_is_known_whether_it_is_read(tmp_path: Path, label: str) -> None:
    _, said = scan(tmp_path, make_saved_page().replace("UTF-8", label.upper()))
    is_read = LABELS[label] in {"utf-8", "utf-16le", "utf-16be", "windows-1252"}
    assert (f"! The form is sent in {label}," in said) == (not is_read)


def test_a_page_that_does_not_say_what_it_is_in_is_told_of(tmp_path: Path) -> None:
    page = make_saved_page().replace('<meta charset="UTF-8" />', "")
    page = page.replace("Post Comment", "Отправить")
    assert "!" not in scan(tmp_path, page)[1]
    said = scan(tmp_path, page.encode("cp1251"))[1]
    assert "! The form is sent in an encoding that the page does not name," in said
    unknown = page.replace('id="commentform"', 'id="commentform" accept-charset="UNKNOWN"')
    assert "!" not in scan(tmp_path, unknown)[1]


@pytest.mark.parametrize("before", ["", "<template><textarea></template></textarea></template>"])
def test_what_is_in_a_template_is_not_in_the_page(tmp_path: Path, before: str) -> None:
    form = make_saved_page(text=PLAIN + '<textarea name="more"></textarea>')
    inert = f"{before}<template><template></template>{form}</form><base href=/x></template>"
    status, said = scan(tmp_path, inert)
    assert (status, "There is no comment form, and 0 other forms." in said) == (1, True)
    status, said = scan(tmp_path, inert + make_saved_page() + "</template>")
    assert (status, "!" in said) == (0, False)


def test_a_form_that_names_its_encoding_is_sent_in_that(tmp_path: Path) -> None:
    page = make_saved_page().replace("UTF-8", "koi8-r")
    named = page.replace('id="commentform"', 'id="commentform" accept-charset="UTF-8"')
    assert "! The form is sent in koi8-r" in scan(tmp_path, page)[1]
    assert "!" not in scan(tmp_path, named)[1]


def test_a_broken_page_is_read_as_a_browser_would(tmp_path: Path) -> None:
    page = """<form id=commentform method=POST action=/wp-comments-post.php><div><form action=/inner>
        <input name=author name=twice><textarea name=comment><input name=typed></textarea>
        <input name=comment_post_ID value=5></div><p></form><input form=commentform name=email>"""
    status, said = scan(tmp_path, page)
    assert status == 0
    assert "typed" not in said
    assert "comment_post_ID: the article, under the key 5" in said
    assert "email: the address" in said
    assert "!" not in said


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    _, said = scan(tmp_path, '<form id="commentform"><textarea name="comment"></textarea></form>')
    for word in (
        "not sent by POST",
        "no field author",
        "no field email",
        "no field comment_post_ID",
    ):
        assert word in said
    assert "Not every page tells its address" in said


def test_nothing_of_a_page_reaches_the_terminal_or_the_shell_as_it_is(tmp_path: Path) -> None:
    evil = "x'$(touch y)\x1b]0;\x07\u202e\x9b2J"
    trap = TRAP.replace("d7dcf95a06", evil)
    page = make_saved_page(text=trap, action=f"/{evil}/wp-comments-post.php")
    _, said = scan(tmp_path, page.replace("value='17'", f'value="{evil}{"7" * 5_000}"'))
    assert not [one for one in said if not one.isprintable() and one != "\n"]
    assert "'form.text_field=x'\"'\"'$(touch y)" in said
    assert "# It will be refused" in said
    assert max(len(line) for line in said.splitlines()) < 1_100
