"""TLS parameters of MySQL URLs, as deployment tools write them, against a real server."""

from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from designate import errors
from designate.storage.sqlalchemy.db.engine import Database
from tests.support.servers.databases import MariaDB


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """The server's certificate and its authority, and another authority."""
    # The server's account must be able to read the files.
    folder = tmp_path_factory.mktemp("tls")
    for parent in (folder, *folder.parents):
        if parent.owner() != "root" or parent == Path("/tmp"):
            break
        parent.chmod(0o755)
    authority, other = trustme.CA(), trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        folder / "server.pem"
    )
    authority.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other.pem")
    (folder / "my.cnf").write_text(f"[client]\nssl-ca = {folder}/ca.pem\n")
    (folder / "other.cnf").write_text(f"[client]\nssl-ca = {folder}/other.pem\n")
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


@pytest.fixture(scope="module")
def url(certificates):
    class Secured(MariaDB):
        def _command(self):
            pem = certificates / "server.pem"
            return [*super()._command(), f"--ssl-cert={pem}", f"--ssl-key={pem}"]

    with Secured() as server:
        with server.admin() as connection, connection.cursor() as cursor:
            cursor.execute("ALTER USER designate@'127.0.0.1' REQUIRE SSL")
        yield server.fresh()


def cipher(url):
    database = Database(url)
    try:
        with database.read() as connection:
            row = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()
            return row[1]
    finally:
        database.close()


@pytest.mark.parametrize(
    "parameters",
    [
        "ssl_ca={ca.pem}",
        "charset=utf8&ssl_ca={ca.pem}",
        "ssl_ca={ca.pem}&ssl_verify_cert=true",
        "ssl_ca={ca.pem}&ssl_verify_identity=true",
        "ssl_ca={other.pem}&ssl_verify_cert=false",
        "read_default_file={my.cnf}",
        "ssl_disabled=false&ssl_ca={ca.pem}",
    ],
)
def test_a_connection_is_encrypted(url, certificates, parameters):
    assert cipher(f"{url}?{filled(parameters, certificates)}")


@pytest.mark.parametrize(
    "parameters",
    [
        "ssl_ca={other.pem}",
        "ssl_ca={other.pem}&ssl_verify_cert=true",
        "charset=utf8&ssl_verify_cert=true",
        "read_default_file={other.cnf}",
        "ssl_disabled=true",
    ],
)
def test_a_server_of_an_unknown_authority_is_refused(url, certificates, parameters):
    with pytest.raises(errors.Unavailable):
        cipher(f"{url}?{filled(parameters, certificates)}")


def test_a_missing_file_is_a_configuration_error(url, certificates):
    with pytest.raises(errors.ConfigurationError, match=r"ssl_ca: .*/absent\.pem: no such file"):
        cipher(f"{url}?{filled('ssl_ca={absent.pem}', certificates)}")


def test_a_missing_default_file_is_left_out(url, certificates):
    assert cipher(f"{url}?{filled('read_default_file={absent.cnf}', certificates)}")


def filled(parameters, folder):
    for name in ("ca.pem", "other.pem", "absent.pem", "my.cnf", "other.cnf", "absent.cnf"):
        parameters = parameters.replace(f"{{{name}}}", quote(str(folder / name)))
    return parameters
