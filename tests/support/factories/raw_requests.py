"""Raw requests, right and wrong ones (RFC 9110, RFC 9112), and the statuses of their responses."""

from __future__ import annotations

HOST = b"Host: localhost\r\n"
MAX_BODY = 1 << 20
CASES: list[tuple[str, bytes, list[int]]] = []


def case(name: str, raw: bytes, *statuses: int) -> None:
    CASES.append((name, raw, list(statuses)))


def get(target: bytes = b"/", headers: bytes = HOST, version: bytes = b"HTTP/1.1") -> bytes:
    return b"GET " + target + b" " + version + b"\r\n" + headers + b"\r\n"


def post(headers: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    return b"POST / " + version + b"\r\n" + HOST + headers + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
NEXT = get(b"/next")

# -- well-formed ------------------------------------------------------------------------------------
for method in (
    b"GET",
    b"HEAD",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"PUT",
    b"POST",
    b"TRACE",
    b"PROPFIND",
):
    case(f"method {method!r}", method + b" / HTTP/1.1\r\n" + HOST + b"\r\n", 200)
case("query", get(b"/a?b=c&d=%20"), 200)
case("escapes", get(b"/%2F%00%0a%1b"), 200)
case("HTTP/1.0", get(version=b"HTTP/1.0"), 200)
case("HTTP/1.0 without Host", get(headers=b"", version=b"HTTP/1.0"), 200)
case(
    "HTTP/1.0 keep-alive",
    get(headers=HOST + b"Connection: keep-alive\r\n", version=b"HTTP/1.0") + NEXT,
    200,
    200,
)
case("HTTP/1.0 closes", get(version=b"HTTP/1.0"), 200)
case("empty lines first", b"\r\n\r\n" + get(), 200)
case("absolute form", get(b"http://localhost:1/x?y"), 200)
case("absolute form in IPv6", get(b"http://[::1]:1/x"), 200)
case("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 200)
case("Host with port", get(headers=b"Host: localhost:9001\r\n"), 200)
case("Host in IPv6", get(headers=b"Host: [::1]:9001\r\n"), 200)
case("empty Host", get(headers=b"Host:\r\n"), 200)
case("Host in capitals", get(headers=b"HOST: localhost\r\n"), 200)
case("white space round a value", get(headers=HOST + b"X:  \t a \t \r\n"), 200)
case("empty value", get(headers=HOST + b"X:\r\n"), 200)
case("repeated header", get(headers=HOST + b"X: a\r\nX: b\r\n"), 200)
case("octets above 127 in a value", get(headers=HOST + b"X: \xe4\r\n"), 200)
case("all token characters", get(headers=HOST + b"!#$%&'*+-.^_`|~09aZ: x\r\n"), 200)
case("body", post(b"Content-Length: 5\r\n", b"hello"), 200)
case("empty body", post(b"Content-Length: 0\r\n"), 200)
case("leading zeros", post(b"Content-Length: 005\r\n", b"hello"), 200)
case("no length", post(b""), 200)
case("body of GET", get(headers=HOST + b"Content-Length: 2\r\n") + b"ab" + NEXT, 200, 200)
case("chunks", post(CHUNKED, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), 200)
case("no chunks", post(CHUNKED, b"0\r\n\r\n"), 200)
case(
    "chunk in capitals",
    post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"A\r\n0123456789\r\n0\r\n\r\n"),
    200,
)
case("chunk extension", post(CHUNKED, b'1;a;b=c;d="e f"\r\nx\r\n0\r\n\r\n'), 200)
case("zeros of a chunk size", post(CHUNKED, b"0001\r\nx\r\n000\r\n\r\n"), 200)
case("trailer", post(CHUNKED, b"1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n") + NEXT, 200, 200)
case("several", NEXT * 5, *[200] * 5)
case(
    "several with bodies",
    post(b"Content-Length: 2\r\n", b"ab") * 3 + post(CHUNKED, b"1\r\nx\r\n0\r\n\r\n") * 2,
    *[200] * 5,
)
case("Connection: close", get(headers=HOST + b"Connection: close\r\n"), 200)
case("Connection: Close, X", get(headers=HOST + b"Connection: X, close\r\n"), 200)
case(
    "Expect: 100-continue", post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"ab"), 100, 200
)
case(
    "Expect in HTTP/1.0",
    post(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"ab", b"HTTP/1.0"),
    200,
)
case("Upgrade is ignored", get(headers=HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), 200)
case(
    "Upgrade to websocket is ignored",
    get(headers=HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    200,
)
case("long target", get(b"/" + b"a" * 60000), 200)
case("many headers", get(headers=HOST + b"X: 1\r\n" * 5000), 200)
case("largest body", post(b"Content-Length: %d\r\n" % MAX_BODY, b"x" * MAX_BODY) + NEXT, 200, 200)

# -- request line ------------------------------------------------------------------------------------
for version, status in [
    (b"HTTP/1.2", 505),
    (b"HTTP/2.0", 505),
    (b"HTTP/0.9", 505),
    (b"HTTP/3.0", 505),
    (b"HTTP/9.9", 505),
    (b"http/1.1", 400),
    (b"HTTP/1.1 ", 400),
    (b"HTTP/11", 400),
    (b"HTTP/1.", 400),
    (b"HTTP/1.1x", 400),
    (b"HTTP/a.b", 400),
    (b"HTP/1.1", 400),
    (b"HTTP 1.1", 400),
    (b"HTTP/1.1\x00", 400),
    (b"\tHTTP/1.1", 400),
]:
    case(f"version {version!r}", get(version=version), status)
case("no version", b"GET /\r\n\r\n", 505)
case("connection preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)
case("unknown method", b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501)
case("small method", b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501)
case("CONNECT", b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501)
case("method with a bracket", b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n", 400)
case("method with a space first", b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", 400)
case("no method", b"/ HTTP/1.1\r\n" + HOST + b"\r\n", 400)
case("tab for a space", b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", 400)
case("TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400)
case("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", 400)
case("nothing but junk", b"\x00\x01\x02\x03\r\n\r\n", 400)
case("target without a slash", get(b"x"), 400)
case("empty target", b"GET  HTTP/1.1\r\n" + HOST + b"\r\n", 400)
case("GET *", get(b"*"), 400)
case("fragment", get(b"/#x"), 400)
case("other scheme", get(b"ftp://localhost/"), 400)
case("scheme in capitals", get(b"HTTP://localhost/"), 200)
case("user in the target", get(b"http://user@localhost/"), 400)
case("space in the target", get(b"/a b"), 400)
case("raw octet above 127", get(b"/\xc3\xa4"), 400)
case("control character", get(b"/\x01"), 400)
case("NUL in the target", get(b"/\x00"), 400)
case("DEL in the target", get(b"/\x7f"), 400)
case("bad port in the target", get(b"http://localhost:99999999/"), 400)
case("target too long", get(b"/" + b"a" * 70000), 414)
case("target without an end", b"GET /" + b"a" * 70000, 414)
case("lines ended by LF", b"GET / HTTP/1.1\nHost: localhost\n\n", 400)
case("lines ended by CR", b"GET / HTTP/1.1\rHost: localhost\r\r", 400)

# -- headers -----------------------------------------------------------------------------------------
case("no Host", get(headers=b""), 400)
case("two Hosts", get(headers=HOST * 2), 400)
for host in (
    b"a b",
    b"a/b",
    b"a,b c",
    b"user@a",
    b"[::1",
    b"a:b",
    b"a\x80",
    b"<a>",
    b"a\\b",
    b'"a"',
):
    case(f"Host {host!r}", get(headers=b"Host: " + host + b"\r\n"), 400)
for line in (
    b"X : a",
    b"X\t: a",
    b": a",
    b"X",
    b"X a",
    b"X\x00: a",
    b"X(: a",
    b"X@: a",
    b"X\x80: a",
    b'"X": a',
    b"X: a\x00b",
    b"X: a\rb",
    b"X: a\nb",
    b"X: a\x01",
    b"X: a\x7f",
    b"X: a\r\n b",
    b"X: a\r\n\tb",
    b"X: a\n b",
    b"\x0bX: a",
    b"{X}: a",
    b"X=: a",
    b"X;: a",
    b"X,: a",
    b"X/: a",
    b"X?: a",
    b"X<>: a",
    b"\\X: a",
):
    case(f"header {line!r}", get(headers=HOST + line + b"\r\n"), 400)
case("space before the first header", get(headers=b" X: a\r\n" + HOST), 400)
case("headers too large", get(headers=HOST + b"X: " + b"a" * 70000 + b"\r\n"), 431)
case("too many headers", get(headers=HOST + b"X: 1\r\n" * 20000), 431)
case("header without an end", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70000, 431)
for expectation in (b"200-ok", b"100-continue, x", b"x"):
    case(
        f"Expect {expectation!r}",
        post(b"Expect: " + expectation + b"\r\nContent-Length: 0\r\n"),
        417,
    )

# -- length ------------------------------------------------------------------------------------------
for length in (
    b"",
    b"+2",
    b"-1",
    b"-0",
    b"2,2",
    b"2, 2",
    b"2 2",
    b"0x2",
    b"2.0",
    b"2e0",
    b"two",
    b"\xb2",
    b"2;",
    b"2\x00",
    b"99999999999999999999999",
    b"18446744073709551616",
    b"\x0b2",
    b"2_0",
    b"'2'",
    b"2\t2",
    b"1 ,",
):
    case(
        f"Content-Length {length!r}",
        post(b"Content-Length: " + length + b"\r\n", b"ab") + NEXT,
        400,
    )
case("two equal lengths", post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"ab") + NEXT, 400)
case("two lengths", post(b"Content-Length: 2\r\nContent-Length: 0\r\n", b"ab") + NEXT, 400)
case("length before coding", post(b"Content-Length: 2\r\n" + CHUNKED, b"0\r\n\r\n") + NEXT, 400)
case("coding before length", post(CHUNKED + b"Content-Length: 2\r\n", b"0\r\n\r\n") + NEXT, 400)
case("body too large", post(b"Content-Length: %d\r\n" % (MAX_BODY + 1)), 413)
case(
    "chunks too large",
    post(CHUNKED, (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17 + b"0\r\n\r\n"),
    413,
)
for coding, status in [
    (b"gzip", 400),
    (b"identity", 400),
    (b"gzip, chunked", 501),
    (b"chunked, gzip", 400),
    (b"xchunked", 400),
    (b"chunkedx", 400),
    (b"chunked, chunked", 400),
    (b"chunked;a=b", 400),
    (b'"chunked"', 400),
    (b"chunk", 400),
    (b"chunked,", 400),
    (b"\x0bchunked", 400),
]:
    case(
        f"coding {coding!r}",
        post(b"Transfer-Encoding: " + coding + b"\r\n", b"0\r\n\r\n") + NEXT,
        status,
    )
case("two codings", post(CHUNKED * 2, b"0\r\n\r\n") + NEXT, 400)
case("coding in HTTP/1.0", post(CHUNKED, b"0\r\n\r\n", b"HTTP/1.0"), 400)
case("coding with a space", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n") + NEXT, 400)

# -- chunks ------------------------------------------------------------------------------------------
for chunks in (
    b"zz\r\nab\r\n0\r\n\r\n",
    b"+1\r\na\r\n0\r\n\r\n",
    b"-1\r\na\r\n0\r\n\r\n",
    b"0x1\r\na\r\n0\r\n\r\n",
    b"1 \r\na\r\n0\r\n\r\n",
    b" 1\r\na\r\n0\r\n\r\n",
    b"1\na\r\n0\r\n\r\n",
    b"1\r\nab\r\n0\r\n\r\n",
    b"1\r\na\n0\r\n\r\n",
    b"1\r\na0\r\n\r\n",
    b"\r\na\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\na\r\n0\r\n\r\n",
    b"1\ra\r\n0\r\n\r\n",
    b"1,2\r\na\r\n0\r\n\r\n",
    b"1\x00\r\na\r\n0\r\n\r\n",
    b"1;a\nb\r\na\r\n0\r\n\r\n",
    b"0\r\nX y\r\n\r\n",
    b"0\r\nX : a\r\n\r\n",
    b"0\r\n: a\r\n\r\n",
):
    case(f"chunks {chunks!r}", post(CHUNKED, chunks) + NEXT, 400)
case("bad after good", NEXT * 2 + b"BREW / HTTP/1.1\r\n\r\n" + NEXT, 200, 200, 400)
case("bad header after good", NEXT + get(headers=HOST + b"X : a\r\n") + NEXT, 200, 400)
case("more after close", get(headers=HOST + b"Connection: close\r\n") + NEXT, 200)
