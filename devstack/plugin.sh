# devstack sources this file with a mode and a phase: it calls the functions of lib/ and of one back end.
#
#   plugin.sh stack install|post-config|extra|test-config
#   plugin.sh unstack
#   plugin.sh clean
#
# Sourced without a known mode it only defines functions.
# shellcheck shell=bash

_XTRACE_DESIGNATE=$(set +o | grep xtrace)
set +o xtrace

# shellcheck source=lib/designate
source "$DESIGNATE_DIR/devstack/lib/designate"
# shellcheck source=lib/api
source "$DESIGNATE_DIR/devstack/lib/api"
# shellcheck source=lib/clients
source "$DESIGNATE_DIR/devstack/lib/clients"
if is_service_enabled designate; then
    load_designate_backend
fi

$_XTRACE_DESIGNATE

if is_service_enabled designate; then
    case "${1:-}:${2:-}" in
        stack:install)
            echo_summary "Installing Designate"
            install_designate
            install_designateclient
            install_designatedashboard
            install_designatetempest
            ;;
        stack:post-config)
            echo_summary "Configuring Designate"
            without_designate_xtrace configure_designate
            configure_designatedashboard
            create_designate_accounts
            ;;
        stack:extra)
            echo_summary "Initializing Designate"
            init_designate
            echo_summary "Starting Designate"
            start_designate
            echo_summary "Creating Designate's pools"
            without_designate_xtrace create_designate_pool_configuration
            ;;
        stack:test-config)
            configure_designate_tempest
            ;;
        unstack:*)
            stop_designate
            ;;
        clean:*)
            cleanup_designate
            ;;
    esac
fi
