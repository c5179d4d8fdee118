"""Names of addresses, from templates that an operator wrote.

A template is a name with `%(variable)s` in it. Variables are the members of the event and

    zone                the zone's name, with its trailing dot
    ip_address          the address, a hyphen for each dot or colon
    ip_version          4 or 6
    octet0, octet1 ...  the parts of the address as it is written
    project             name of the project, where the event says it
    label               of the network, where the event says it
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from designate import errors

SEPARATORS = re.compile("[.:]+")
Values = Mapping[str, object]


class Unnamed(ValueError):
    """There is no name for the address; says why."""


def check(template: str) -> None:
    """Raises ConfigurationError for what is no template."""
    try:
        template % defaultdict(str)
    except (TypeError, ValueError) as error:
        raise errors.ConfigurationError(f"name template {template!r}: {error}") from None


def address_values(address: str) -> dict[str, object]:
    """The variables that an address gives. Raises ValueError for what is none."""
    parsed = ipaddress.ip_address(address)
    text = str(parsed)
    octets = [part for part in SEPARATORS.split(text) if part]
    return {
        "ip_address": re.sub("[.:]", "-", text),
        "ip_version": parsed.version,
        **{f"octet{number}": part for number, part in enumerate(octets)},
    }


def name(template: str, values: Values) -> str:
    """The name that the template makes. Raises Unnamed: something in the template has no value, or the
    name would stand for others (RFC 4592)."""
    try:
        made = template % {key: value for key, value in values.items() if value is not None}
    except KeyError as error:
        raise Unnamed(f"{template!r} needs {error.args[0]}, which the event does not say") from None
    if "*" in made:
        raise Unnamed(f"{made!r} is a wildcard")
    return made if made.endswith(".") else f"{made}."


def all_names(templates: Sequence[str], values: Values) -> tuple[list[str], list[str]]:
    """(names, without repetitions; why templates made none)."""
    names: dict[str, None] = {}
    problems = []
    for template in templates:
        try:
            names[name(template, values)] = None
        except Unnamed as error:
            problems.append(str(error))
    return list(names), problems
