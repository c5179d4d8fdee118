"""backend.rndc_key: the files that rndc reads."""

import base64

import pytest

from designate import errors
from designate.backend import rndc_key

SECRET = base64.b64encode(b"a secret of some length").decode()
OTHER = base64.b64encode(b"another one").decode()


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "rndc.conf"
        path.write_text(text)
        return str(path)

    return write


def key(name, algorithm="hmac-sha256", secret=SECRET):
    return f'key "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};\n'


@pytest.mark.parametrize("digest", rndc_key.DIGESTS)
def test_every_algorithm_of_bind_is_known(written, digest):
    found = rndc_key.load(written(key("k", f"hmac-{digest}")), None, "127.0.0.1")

    assert (found.name, found.digest) == ("k", digest)
    assert found.secret == b"a secret of some length"


def test_comments_and_unquoted_words_are_read(written):
    text = f"""
    # a key "no" {{ algorithm hmac-md5; secret "no"; }};
    // and another
    /* key "no" {{ algorithm hmac-md5; }}; */
    key rndc-key {{
        algorithm HMAC-SHA512;  # the strong one
        secret {SECRET};
    }};
    """

    found = rndc_key.load(written(text), None, "127.0.0.1")

    assert (found.name, found.digest) == ("rndc-key", "sha512")


def test_a_configuration_names_the_key_of_each_server(written):
    text = (
        key("usual")
        + key("special", "hmac-sha1", OTHER)
        + 'options { default-key "usual"; default-port 953; };'
        + 'server 192.0.2.1 { key "special"; };'
    )
    path = written(text)

    assert rndc_key.load(None, path, "192.0.2.1").name == "special"
    assert rndc_key.load(None, path, "192.0.2.2").name == "usual"


def test_the_key_file_wins_over_the_configuration(written, tmp_path):
    config = tmp_path / "other.conf"
    config.write_text(key("from-config"))

    assert rndc_key.load(written(key("from-key-file")), str(config), "::1").name == "from-key-file"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0 keys"),
        (key("a") + key("b"), "2 keys"),
        (key("a") + 'options { default-key "b"; };', "there is no key 'b'"),
        (key("a", "hmac-crc32"), "unknown algorithm 'hmac-crc32'"),
        ('key "a" { algorithm hmac-sha256; };', "no base64 secret"),
        (key("a", secret="!secret!"), "no base64 secret"),
        ("}}}} ;;; {", "0 keys"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_without_the_secret(written, text, problem):
    path = written(text)

    with pytest.raises(errors.BackendError) as caught:
        rndc_key.load(path, None, "127.0.0.1")

    assert problem in str(caught.value)
    assert path in str(caught.value)
    assert "!secret!" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(errors.BackendError, match="No such file"):
        rndc_key.load(str(tmp_path / "none"), None, "127.0.0.1")


def test_a_key_does_not_show_its_secret(written):
    found = rndc_key.load(written(key("k")), None, "127.0.0.1")

    assert "secret" not in repr(found)
