"""What packages and a cloud give to a machine: prepared servers, which systemctl starts, and Keystone."""

from __future__ import annotations

import secrets

from tests.support.machine.machine import SHOWN, Machine

SERVERS = ("mariadb", "rabbitmq-server", "named")
APT_GET = """\
#!/bin/bash
# Packages come with the environment of the tests: they must be there.
for word; do
    case $word in
        update | install | -*) ;;
        *)
            dpkg-query -W -f='${db:Status-Status}' "$word" 2>/dev/null | grep -qx installed || {
                echo "E: Unable to locate package $word" >&2
                exit 100
            }
            ;;
    esac
done
"""
# In a user namespace of one account nobody may change its groups, and that account is root.
RUNUSER = """\
#!/bin/bash
[ "$1 $3" = "-u --" ] || exit 2
export PGUSER=$2
shift 3
exec "$@"
"""
# PostgreSQL refuses to be root, hence the second user namespace.
POSTGRESQL = """\
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
install -d -o postgres -g postgres -m 700 /var/lib/postgresql /run/postgresql
{start} $programs/initdb --pgdata=/var/lib/postgresql/data --username=postgres --auth-local=trust \
    --auth-host=scram-sha-256 --locale=C.UTF-8 --no-sync >/dev/null
cat >/etc/systemd/system/postgresql.service <<EOF
[Service]
ExecStart={start} $programs/postgres -D /var/lib/postgresql/data -k /run/postgresql
EOF
systemctl start postgresql
"""
FOLDERS = """\
install -d -o mysql -g mysql -m 700 /var/lib/mysql
install -d -o mysql -g mysql /run/mysqld /var/log/mysql
install -d -o rabbitmq -g rabbitmq -m 750 /var/lib/rabbitmq /var/log/rabbitmq
install -d -o root -g bind -m 775 /var/cache/bind /run/named
install -d -m 700 /var/lib/keystone
printf '127.0.0.1 localhost machine\\n::1 localhost\\n' >/etc/hosts
"""
# Idle schedulers sleep; by default they spin, which takes the time of the tests.
BROKER = 'SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none"\n'
KEYSTONE_CONF = """\
[database]
connection = sqlite:////var/lib/keystone/keystone.sqlite?timeout=20
[fernet_tokens]
key_repository = /var/lib/keystone/fernet
[fernet_receipts]
key_repository = /var/lib/keystone/fernet
[credential]
key_repository = /var/lib/keystone/credential
[identity]
password_hash_rounds = 4
max_password_length = 72
"""
KEYSTONE_UNIT = """\
[Service]
Environment=PYTHONPATH={shown}/checkout:{shown}/packages PYTHONDONTWRITEBYTECODE=1
ExecStart={python} -W ignore -m tests.support.servers.keystone_host /var/lib/keystone 5000 {password}
"""


class Debian:
    """A machine after apt-get, in a cloud; `administrator` has the credentials in its environment."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        password = secrets.token_hex(12)
        self.administrator = {
            "OS_AUTH_URL": "http://127.0.0.1:5000/v3",
            "OS_USERNAME": "admin",
            "OS_PASSWORD": password,
            "OS_PROJECT_NAME": "admin",
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": "RegionOne",
            "PYTHONWARNINGS": "ignore",
        }
        unit = KEYSTONE_UNIT.format(shown=SHOWN, python=machine.python, password=password)
        machine.write("/etc/systemd/system/keystone.service", unit)
        machine.run(FOLDERS)
        machine.write("/var/lib/keystone/keystone.conf", KEYSTONE_CONF)
        machine.write("/etc/rabbitmq/rabbitmq-env.conf", BROKER)
        machine.write(f"{SHOWN}/bin/apt-get", APT_GET)
        if machine.has_one_account:
            machine.write(f"{SHOWN}/bin/runuser", RUNUSER)
            machine.write(
                "/etc/systemd/system/mariadb.service.d/tests.conf",
                "[Service]\nEnvironment=MYSQLD_OPTS=--user=root\n",
            )
            machine.write("/etc/default/named", "OPTIONS=\n")
        machine.run(f"chmod 755 {SHOWN}/bin/*")

    def start_postgresql(self) -> None:
        """As start_servers; local accounts need no password."""
        if self._machine.has_one_account:
            start = "/usr/bin/unshare --user --map-user=1000 --map-group=1000"
        else:
            start = "/usr/bin/setpriv --reuid=postgres --regid=postgres --init-groups"
        self._machine.run(POSTGRESQL.format(start=start))

    def start_servers(self) -> None:
        """Create the database's files and start everything, as maintainer scripts do."""
        account = "root" if self._machine.has_one_account else "mysql"
        self._machine.run(
            f"mariadb-install-db --user={account} --skip-test-db --datadir=/var/lib/mysql >/dev/null"
        )
        self._machine.run(f"systemctl start keystone {' '.join(SERVERS)}")
