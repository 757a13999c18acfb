vcl 4.1;

# Varnish 6.0 or newer in front of Greenroom. caching.md says what each cache does, and why.
# Start it with `-p backend_idle_timeout=1`: kept connections must end before a process that stops does.

import std;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
    .connect_timeout = 2s;
}

# The machines on which the service runs: they alone may have answers forgotten.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        # `client.ip` is the socket's. Behind another proxy that would be the proxy's, for everybody.
        if (client.ip !~ purgers) {
            return (synth(403, "Forbidden"));
        }
        if (req.http.Surrogate-Key !~ "^gr-[0-9a-f]{16}( gr-[0-9a-f]{16})*$") {
            return (synth(400, "Bad Request"));
        }
        # Of the object alone, so that the ban lurker can clear it away in the background.
        ban("obj.http.Surrogate-Key ~ \b(" + regsuball(req.http.Surrogate-Key, " ", "|") + ")\b");
        return (synth(204, "No Content"));
    }

    # Set, not appended: what a client claims here is dropped.
    set req.http.X-Forwarded-For = client.ip;

    # Whatever is not named here is passed on and never kept: submissions, receipts, the queue,
    # sessions.
    if ((req.method != "GET" && req.method != "HEAD")
        || req.url !~ "^/(v1/sites/[^/?]+/(counts|comments(\.html|\.atom|/[0-9a-f-]+)?)/?(\?|$)|avatars/|static/|embed\.js(\?|$))") {
        return (pass);
    }

    # These answers are the same for everybody.
    unset req.http.Cookie;
    unset req.http.Authorization;
    return (hash);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    # Nothing is kept but what the service calls public; problems are `no-store`. The next readers of
    # such an answer do not wait for one another.
    if (beresp.status != 200 || beresp.http.Cache-Control !~ "\bpublic\b" || beresp.http.Set-Cookie) {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    # For how long it may be used is up to the service (s-maxage), and not a moment longer, not even while
    # the service is down: what was removed must not come back.
    set beresp.grace = 0s;
    # Until then its ETag saves sending it again.
    set beresp.keep = 10m;
    return (deliver);
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    # For caches further out; if there are any, leave these two lines out.
    unset resp.http.Surrogate-Key;
    unset resp.http.Cache-Tag;
}

sub vcl_synth {
    set resp.http.Cache-Control = "no-store";
    return (deliver);
}
