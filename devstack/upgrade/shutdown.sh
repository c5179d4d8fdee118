#!/usr/bin/env bash
# grenade stops the base's daemons with this. The nameserver keeps running, as in a cloud that is upgraded.
set -o errexit

source "$GRENADE_DIR/grenaderc"
source "$GRENADE_DIR/functions"
source "$BASE_DEVSTACK_DIR/functions"
source "$BASE_DEVSTACK_DIR/stackrc"
source "$BASE_DEVSTACK_DIR/lib/tls"
source "$BASE_DEVSTACK_DIR/lib/apache"

DESIGNATE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$DESIGNATE_DIR/devstack/settings"
source "$DESIGNATE_DIR/devstack/plugin.sh"

set -o xtrace
stop_designate_daemons
