"""Check whether a project exists in Keystone."""

from __future__ import annotations

import logging
import threading
from typing import Any

from oslo_config import cfg

from designate import errors

LOG = logging.getLogger(__name__)

TIMEOUT_S = 10
GROUP = "keystone_authtoken"
_sessions: dict[int, Any] = {}
_lock = threading.Lock()


def check(conf: cfg.ConfigOpts, project_id: str) -> None:
    """Raise BadRequest of type invalid_project if Keystone reports that the project does not exist.

    If Keystone is unavailable or does not permit the query, the project counts as valid.
    """
    if conf["service:api"].auth_strategy != "keystone":
        return
    from keystoneauth1 import exceptions

    try:
        response = _session(conf).get(
            f"/v3/projects/{project_id}",
            endpoint_filter={"service_type": "identity", "interface": "public", "version": (3, 0)},
            endpoint_override=_endpoint(conf),
            raise_exc=False,
            timeout=TIMEOUT_S,
        )
    except exceptions.ClientException as error:
        LOG.warning(
            "project %s: existence not checked, Keystone failed: %s",
            project_id,
            type(error).__name__,
        )
        return
    if response.status_code == 404:
        raise errors.BadRequest(f"{project_id} is not a valid project ID.", type="invalid_project")


def _endpoint(conf: cfg.ConfigOpts) -> str:
    url = str(conf[GROUP].auth_url).rstrip("/")
    return url.removesuffix("/v3")


def _session(conf: cfg.ConfigOpts) -> Any:
    """Return the session of this configuration, which has the service's own token and connections."""
    from keystoneauth1 import loading, session

    with _lock:
        found = _sessions.get(id(conf))
        if found is None:
            group = conf[GROUP]
            found = _sessions[id(conf)] = session.Session(
                auth=loading.load_auth_from_conf_options(conf, GROUP),
                verify=False if group.insecure else group.cafile or True,
                cert=(group.certfile, group.keyfile) if group.certfile else None,
            )
        return found
