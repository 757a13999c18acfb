# ruff: noqa: E501 - the markup is broken into lines as WordPress does it.
"""A page as WordPress makes it and a browser saves it, with and without the fields of plug-ins."""

PLAIN = """\
<textarea id="comment" name="comment" cols="45" rows="8" maxlength="65525" required></textarea>"""
# Antispam Bee: the real field first under a name of the site's own, and its script swaps the ids.
TRAP = """\
<textarea autocomplete="new-password"  id="d7dcf95a06"  name="d7dcf95a06"   cols="45" rows="8" maxlength="65525" required></textarea>\
<textarea id="comment" aria-label="hp-comment" aria-hidden="true" name="comment" autocomplete="new-password" \
style="padding:0 !important;clip:rect(1px, 1px, 1px, 1px) !important;position:absolute !important;white-space:nowrap !important;\
height:1px !important;width:1px !important;overflow:hidden !important;" tabindex="-1"></textarea>\
<script data-noptimize>document.getElementById("comment").setAttribute( "id", "a5f" );</script>"""
PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head>
<meta charset="UTF-8" />
<title>Waiting rooms &#8211; A blog</title>
<link rel="canonical" href="{origin}/waiting-rooms/" />
<script src="/wp-includes/js/comment-reply.min.js?ver=6.6" id="comment-reply-js" async></script>
</head>
<body class="single wp-embed-responsive">
<form role="search" method="get" action="{origin}/" class="wp-block-search"><input type="search" name="s" value="" /></form>
<main class="wp-block-group"><h1 class="wp-block-post-title">Waiting rooms</h1>
<div id="respond" class="comment-respond wp-block-post-comments-form">
<h3 id="reply-title" class="comment-reply-title">Leave a Reply <small><a rel="nofollow" id="cancel-comment-reply-link" \
href="/waiting-rooms/#respond" style="display:none;">Cancel reply</a></small></h3>
<form action="{action}" method="post" id="commentform" class="comment-form">
<p class="comment-notes"><span id="email-notes">Your email address will not be published.</span></p>
<p class="comment-form-comment"><label for="comment">Comment <span class="required">*</span></label> {text}</p>
<p class="comment-form-author"><label for="author">Name</label> <input id="author" name="author" type="text" value="" size="30" required /></p>
<p class="comment-form-email"><label for="email">Email</label> <input id="email" name="email" type="email" value="" size="30" required /></p>
<p class="comment-form-url"><label for="url">Website</label> <input id="url" name="url" type="url" value="" size="30" /></p>
<p class="comment-form-cookies-consent"><input id="wp-comment-cookies-consent" name="wp-comment-cookies-consent" type="checkbox" value="yes" /></p>
<p class="form-submit wp-block-button"><input name="submit" type="submit" id="submit" value="Post Comment" /> \
<input type='hidden' name='comment_post_ID' value='17' id='comment_post_ID' />
<input type='hidden' name='comment_parent' id='comment_parent' value='0' />
</p><p style="display: none;"><input type="hidden" id="akismet_comment_nonce" name="akismet_comment_nonce" value="2ee4c5b6a1" /></p>\
<p style="display: none !important;" class="akismet-fields-container" data-prefix="ak_"><label>&#916;\
<textarea name="ak_hp_textarea" cols="45" rows="8" maxlength="100"></textarea></label>\
<input type="hidden" id="ak_js_1" name="ak_js" value="171"/></p></form>
</div></main></body></html>
"""


def make_saved_page(
    *, text: str = PLAIN, origin: str = "https://blog.example", action: str | None = None
) -> str:
    """Give a saved page of a blog; `text` is the markup of its large fields."""
    action = f"{origin}/wp-comments-post.php" if action is None else action
    return PAGE.format(text=text, origin=origin, action=action)
