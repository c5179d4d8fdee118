#!/usr/bin/env bash
# A zone and a recordset that must outlive grenade's upgrade, in the database and on the nameserver.
#
#   resources.sh early_create | create | verify WHEN | verify_noapi WHEN | destroy
set -o errexit

source "$GRENADE_DIR/grenaderc"
source "$GRENADE_DIR/functions"
source "$TOP_DIR/stackrc"
source "$TOP_DIR/openrc" admin admin

DESIGNATE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$DESIGNATE_DIR/devstack/settings"

ZONE=grenade.example.
NAME=www.$ZONE
ADDRESS=192.0.2.53
PATIENCE_S=60

function recordset_status {
    openstack recordset show "$ZONE" "$NAME" -f value -c status
}

# Wait until a command prints a text.
#
#   wait_for TEXT COMMAND...
function wait_for {
    local text=$1 end=$((SECONDS + PATIENCE_S))
    shift
    until [[ $("$@") == "$text" ]]; do
        if [[ $SECONDS -ge $end ]]; then
            echo "not within $PATIENCE_S s: '$text' from: $*" >&2
            exit 1
        fi
        sleep 0.2
    done
}

function query {
    local server=${DESIGNATE_NAMESERVERS:-$DESIGNATE_SERVICE_HOST:$DESIGNATE_SERVICE_PORT_DNS}
    server=${server%%,*}
    dig +short +tries=1 -p "${server##*:}" "@${server%:*}" "$NAME" A
}

function create {
    openstack zone create --email admin@example.org "$ZONE" -f value -c id
    openstack recordset create "$ZONE" "$NAME" --type A --record "$ADDRESS" -f value -c id
    wait_for "$ADDRESS" query
}

function verify {
    wait_for ACTIVE recordset_status
    wait_for "$ADDRESS" query
}

case $1 in
    early_create) ;;
    create) create ;;
    verify) verify ;;
    # The nameserver answers while the daemons are stopped.
    verify_noapi) wait_for "$ADDRESS" query ;;
    destroy)
        openstack zone delete "$ZONE" -f value -c id
        wait_for "" query
        ;;
    *)
        echo "unknown: $1" >&2
        exit 1
        ;;
esac
