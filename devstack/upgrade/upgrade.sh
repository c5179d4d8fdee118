#!/usr/bin/env bash
# grenade upgrades with this: the target's code, its schema, the configuration that the base left, the daemons.
set -o errexit

source "$GRENADE_DIR/grenaderc"
source "$GRENADE_DIR/functions"
source "$TARGET_DEVSTACK_DIR/functions"
source "$TARGET_DEVSTACK_DIR/stackrc"
source "$TARGET_DEVSTACK_DIR/lib/tls"
source "$TARGET_DEVSTACK_DIR/lib/apache"

DESIGNATE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$DESIGNATE_DIR/devstack/settings"
source "$DESIGNATE_DIR/devstack/plugin.sh"

set -o xtrace
setup_develop "$DESIGNATE_DIR" "$(designate_extras)"
designate_manage database sync
# 1 stands for warnings.
"$(designate_bin_dir)/designate-status" --config-file "$DESIGNATE_CONF" upgrade check || [[ $? -eq 1 ]]
start_designate_daemons
