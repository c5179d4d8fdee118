# Sourced by the other tools: finds Python and updates .venv for pyproject.toml and constraints.txt.
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

# Installs Debian packages without starting services.
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

# Prints the Python to use: $PYTHON if set, else python3, else a newer version.
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

# The levels of an environment, each including the previous ones, and the arguments of pip for each.
LEVELS="lint run types unit full"
requirements() {
    # Not echo, which would take -e for its own option.
    case $1 in
        lint) printf '%s ' --group lint ;;
        run) printf '%s ' -e . ;;
        types) printf '%s ' -e . --group lint --group types ;;
        unit) printf '%s ' -e ".[eventlet,mysql,postgresql]" --group lint --group types --group unit ;;
        full) printf '%s ' -e ".[akamai,eventlet,memcached,mysql,postgresql,redis,zookeeper]" --group full ;;
        *) die "unknown level: $1" ;;
    esac
}

# Prints a checksum of the inputs of an environment of this level.
fingerprint() {
    printf '%s %s %s' "$1" "$PWD" "$(cat pyproject.toml setup.cfg tools/constraints.txt tools/environment.sh | cksum)"
}

# Whether .venv is up to date for this level or a higher one.
is_current() {
    local level reached=""
    for level in $LEVELS; do
        if [ "$level" = "$1" ]; then reached=yes; fi
        if [ -n "$reached" ] && [ "$(cat ".venv/.stamp-$level" 2>/dev/null)" = "$(fingerprint "$level")" ]; then
            return 0
        fi
    done
    return 1
}

pip_install() {
    .venv/bin/python -m pip --disable-pip-version-check install --constraint tools/constraints.txt "$@"
}

# Updates .venv for a level: prepare_environment lint|run|types|unit|full. Without changes this runs
# neither Python nor pip, so that the service starts quickly.
prepare_environment() {
    local level=$1 python arguments log=.venv/install.log
    if [ -x .venv/bin/python ] && is_current "$level"; then
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
    read -ra arguments <<<"$(requirements "$level")"
    say "Installing the project into .venv; the first time this takes a minute or two"
    # Of an older build of this checkout; its entry points would take precedence.
    rm -rf designate.egg-info
    # Older versions of pip do not support dependency groups.
    if ! { pip_install pip && pip_install "${arguments[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "pip failed; all of its output is in $log"
    fi
    grep '^Successfully installed' "$log" | tail -n 1 | cut -c1-200 >&2 || true
    fingerprint "$level" >".venv/.stamp-$level"
}
