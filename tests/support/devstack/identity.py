"""What devstack's functions for Keystone do, for the stand-in: each creates what is not there yet.

python identity.py user NAME ROLE
python identity.py service NAME TYPE DESCRIPTION
python identity.py endpoint SERVICE_TYPE REGION URL
"""

from __future__ import annotations

import os
import sys
from typing import Any

import requests

TIMEOUT_S = 60
INTERFACES = ("public", "internal", "admin")


class Identity:
    """An administrator's session with Keystone, from the variables of the environment."""

    def __init__(self) -> None:
        self._url = os.environ["KEYSTONE_SERVICE_URI"]
        self._http = requests.Session()
        self._http.trust_env = False
        user = {
            "name": os.environ["OS_USERNAME"],
            "password": os.environ["OS_PASSWORD"],
            "domain": {"name": os.environ["OS_USER_DOMAIN_NAME"]},
        }
        project = {
            "name": os.environ["OS_PROJECT_NAME"],
            "domain": {"name": os.environ["OS_PROJECT_DOMAIN_NAME"]},
        }
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": project},
        }
        response = self._request("POST", "/auth/tokens", {"auth": auth})
        self._http.headers["X-Auth-Token"] = response.headers["X-Subject-Token"]

    def _request(self, method: str, path: str, body: Any = None) -> requests.Response:
        response = self._http.request(method, self._url + path, json=body, timeout=TIMEOUT_S)
        if not response.ok:
            sys.exit(f"{method} {path}: {response.status_code} {response.text}")
        return response

    def _get_or_create(self, kind: str, query: str, **values: str) -> str:
        """Return the id of the first object that the query finds, or of a new one."""
        found = self._request("GET", f"/{kind}s?{query}").json()[f"{kind}s"]
        if not found:
            found = [self._request("POST", f"/{kind}s", {kind: values}).json()[kind]]
        return str(found[0]["id"])

    def user(self, name: str, role: str) -> str:
        """Create a user of the service project with a role."""
        project = os.environ["SERVICE_PROJECT_NAME"]
        project_id = self._get_or_create(
            "project", f"name={project}", name=project, domain_id="default"
        )
        password = os.environ["SERVICE_PASSWORD"]
        user_id = self._get_or_create(
            "user", f"name={name}", name=name, password=password, domain_id="default"
        )
        role_id = self._get_or_create("role", f"name={role}", name=role)
        self._request("PUT", f"/projects/{project_id}/users/{user_id}/roles/{role_id}")
        return user_id

    def service(self, name: str, type_: str, description: str) -> str:
        """Create a service of the catalogue."""
        return self._get_or_create(
            "service", f"type={type_}", name=name, type=type_, description=description
        )

    def endpoint(self, service: str, region: str, url: str) -> str:
        """Create the endpoints of a service in a region."""
        service_id = self._request("GET", f"/services?type={service}").json()["services"][0]["id"]
        for interface in INTERFACES:
            self._get_or_create(
                "endpoint",
                f"service_id={service_id}&region_id={region}&interface={interface}",
                service_id=service_id,
                region_id=region,
                interface=interface,
                url=url,
            )
        return str(service_id)


if __name__ == "__main__":
    sys.stdout.write(getattr(Identity(), sys.argv[1])(*sys.argv[2:]) + "\n")
