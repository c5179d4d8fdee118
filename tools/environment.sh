# Sourced by the other tools: finds Python and keeps .venv in step with pyproject.toml.
# Needs bash and the checkout as the working directory.

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root, and there is no sudo for: $*"
    fi
}

# Installs Debian packages; the services among them are not started.
install_packages() {
    command -v apt-get >/dev/null || die "please install by hand: $*"
    say "Installing Debian packages: $*"
    local policy=/usr/sbin/policy-rc.d made="" status=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=yes
    fi
    as_root apt-get -qq update &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -y --no-install-recommends install "$@" >/dev/null || status=$?
    if [ -n "$made" ]; then as_root rm -f "$policy"; fi
    [ "$status" -eq 0 ] || die "apt-get could not install: $*"
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Prints the Python to use: $PYTHON if set, else the machine's own, else a newer one beside it.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed (looked for: ${PYTHON:-python3 python3.13 python3.12 python3.11})"
}

# What an environment with these extras is made from.
fingerprint() { printf '%s %s %s' "$1" "$PWD" "$(cat pyproject.toml setup.cfg | cksum)"; }

is_current() { [ "$(cat ".venv/.stamp-$1" 2>/dev/null)" = "$(fingerprint "$1")" ]; }

# Makes .venv hold the project: prepare_environment run|test. Without changes this runs no Python
# and no pip, for the service must be up in a moment.
prepare_environment() {
    local extras=$1 what=. python log=.venv/install.log
    if [ -x .venv/bin/python ] && { is_current "$extras" || is_current test; }; then
        return
    fi
    if [ ! -x .venv/bin/python ] || ! new_enough .venv/bin/python || [ ! -x .venv/bin/pip ]; then
        python=$(find_python) || exit 1
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            install_packages "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        fi
        say "Making .venv with $python"
        "$python" -m venv --clear .venv || die "could not make .venv"
    fi
    [ "$extras" = run ] || what=".[$extras]"
    say "Installing the project into .venv; the first time this takes a minute or two"
    if ! .venv/bin/python -m pip --disable-pip-version-check install -e "$what" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "pip failed; all of its output is in $log"
    fi
    grep '^Successfully installed' "$log" | cut -c1-200 >&2 || true
    fingerprint "$extras" >".venv/.stamp-$extras"
}
