# Takes the comments into pages, which name their article:
#   <greenroom-comments site="blog" article="/posts/hello"><esi:include src="/_comments?article=/posts/hello"/></greenroom-comments>
vcl 4.1;

backend blog {
    .host = "127.0.0.1";
    .port = "8080";
}

backend talk {
    .host = "127.0.0.1";
    .port = "8000";
    # A slow service must not make a slow site.
    .connect_timeout = 1s;
    .first_byte_timeout = 2s;
}

sub vcl_recv {
    set req.backend_hint = blog;
    if (req.url ~ "^/_comments\?") {
        if (req.esi_level == 0) {
            return (synth(404));
        }
        set req.backend_hint = talk;
        set req.url = regsub(req.url, "^/_comments", "/v1/sites/blog/comments.html");
        unset req.http.Cookie;
        return (hash);
    }
}

sub vcl_backend_response {
    if (bereq.backend == blog && beresp.http.Content-Type ~ "text/html") {
        set beresp.do_esi = true;
    }
    if (bereq.backend == talk) {
        # Older comments while new ones are fetched. Not for long: some may have been withdrawn meanwhile.
        set beresp.grace = 10s;
        if (beresp.status != 200) {
            return (fail);
        }
    }
}

# An error's page must not stand in the article: there is nothing instead.
sub vcl_backend_error {
    if (bereq.backend == talk) {
        synthetic("");
        set beresp.ttl = 1s;
        return (deliver);
    }
}

sub vcl_synth {
    if (req.esi_level > 0) {
        synthetic("");
        return (deliver);
    }
}
