"""The units and their companions, as systemd's own programs and logrotate read them."""

from __future__ import annotations

import pytest

from tests.support.machine.machine import Machine

NAMES = ("api", "central", "mdns", "producer", "sink", "worker")
UNITS = [f"designate-{name}.service" for name in NAMES]
# Tenths of systemd's exposure level: below 2.0 it is "OK", 9.6 is a service without restrictions.
MAX_EXPOSURE = 20


@pytest.fixture(scope="module")
def machine(wheel):
    with Machine() as made:
        made.install(wheel, "/opt/designate")
        made.run("/opt/designate/bin/designate-install")
        made.run("systemd-sysusers designate.conf")
        made.run("systemd-tmpfiles --create designate.conf")
        yield made


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_verifies_the_unit(machine, unit):
    verified = machine.attempt(f"systemd-analyze verify --man=no /etc/systemd/system/{unit}")

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_is_restricted(machine, unit):
    machine.run(
        f"systemd-analyze security --no-pager --offline=true --threshold={MAX_EXPOSURE} {unit}"
    )


def test_the_packaged_units_are_valid_without_the_command(machine):
    """They may lie in /usr/lib/systemd/system with the programs in /usr/bin."""
    machine.run(
        """
        root=/run/image
        mkdir -p $root/usr/bin $root/usr/lib/systemd/system
        cp -r /opt/designate/share/designate/systemd/* $root/usr/lib/systemd/system
        cp -P /usr/lib/systemd/system/*.target $root/usr/lib/systemd/system
        for name in kill designate-{api,central,mdns,producer,sink,worker}; do
            install -m 755 /dev/null $root/usr/bin/$name
        done
        ln -s usr/bin $root/bin
        """
    )
    verified = machine.attempt(
        "cd /run/image/usr/lib/systemd/system; "
        "systemd-analyze verify --man=no --root=/run/image designate-*.service"
    )

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def test_the_account_has_no_login(machine):
    machine.run("mkdir -p /run/accounts/etc")
    machine.run("systemd-sysusers --root=/run/accounts /etc/sysusers.d/designate.conf")
    (line,) = machine.run("grep ^designate: /run/accounts/etc/passwd").splitlines()
    _, _, number, _, _, home, shell = line.split(":")

    assert int(number) != 0
    assert home == "/var/lib/designate"
    assert shell.endswith(("/nologin", "/false"))


def test_folders_belong_to_the_account(machine):
    listed = machine.run("stat -c '%n %a %U' /run/designate /var/{lib,log}/designate")
    owner = machine.run("id -nu designate").strip()

    assert listed.splitlines() == [
        f"/run/designate 755 {owner}",
        f"/var/lib/designate 700 {owner}",
        f"/var/log/designate 750 {owner}",
    ]


def test_logrotate_rotates_files_that_stay_open(machine):
    """A daemon writes on into the file that it opened, which is the new one."""
    printed = machine.run(
        """
        mkdir -p /run/logrotate
        install -o designate -g designate -m 640 /dev/null /var/log/designate/designate-api.log
        exec 3>>/var/log/designate/designate-api.log
        echo before >&3
        logrotate --debug /etc/logrotate.d/designate
        logrotate --force --state /run/logrotate/status /etc/logrotate.d/designate
        echo after >&3
        cd /var/log/designate
        cat designate-api.log.1 designate-api.log
        """
    )

    assert printed.splitlines() == ["before", "after"]
