"""Names of addresses, made from the operator's templates.

A template is a name with `%(variable)s` in it. The variables are the members of the event and

    zone                name of the zone, with its trailing dot
    ip_address          the address with a hyphen for each dot or colon
    ip_version          4 or 6
    octet0, octet1 ...  the parts of the address as it is written
    project             name of the project, if the event has it
    label               label of the network, if the event has it
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from designate import domain_names, errors

SEPARATORS = re.compile("[.:]+")
Values = Mapping[str, object]


class Unnamed(ValueError):
    """A template makes no valid name for an address; the text is the reason."""


def check(template: str) -> None:
    """Raise ConfigurationError for an invalid template."""
    try:
        template % defaultdict(str)
    except (TypeError, ValueError) as error:
        raise errors.ConfigurationError(f"name template {template!r}: {error}") from None


def address_values(address: str) -> dict[str, object]:
    """Return the variables of an address. Raises ValueError for an invalid one."""
    parsed = ipaddress.ip_address(address)
    text = str(parsed)
    octets = [part for part in SEPARATORS.split(text) if part]
    return {
        "ip_address": re.sub("[.:]", "-", text),
        "ip_version": parsed.version,
        **{f"octet{number}": part for number, part in enumerate(octets)},
    }


def name(template: str, values: Values) -> str:
    """Return the name that a template makes, in the stored form.

    Raises:
        Unnamed: a variable has no value, a label is invalid, or the name is a wildcard (RFC 4592).
    """
    try:
        made = template % {key: value for key, value in values.items() if value is not None}
    except KeyError as error:
        raise Unnamed(f"{template!r} needs {error.args[0]}, which the event lacks") from None
    try:
        stored = domain_names.canonical(made if made.endswith(".") else f"{made}.")
    except ValueError as error:
        raise Unnamed(f"{made!r} is not a name: {error}") from None
    if "*" in stored:
        raise Unnamed(f"{made!r} is a wildcard")
    return stored


def all_names(templates: Sequence[str], values: Values) -> tuple[list[str], list[str]]:
    """Return the distinct names, and the reasons why templates made none."""
    names: dict[str, None] = {}
    problems = []
    for template in templates:
        try:
            names[name(template, values)] = None
        except Unnamed as error:
            problems.append(str(error))
    return list(names), problems
