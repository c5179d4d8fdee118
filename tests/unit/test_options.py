"""The options: all registered, all with help, all in the reference."""

import ast
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from oslo_config import cfg, generator
from oslo_policy import generator as policy_generator

from designate import config

CHECKOUT = Path(__file__).parents[2]
OPTIONS = [
    pytest.param(group, option, id=f"{group}.{option.dest}")
    for group, options in config.list_opts()
    for option in options
]


def declaring_modules() -> Iterator[str]:
    """Return the modules of designate/ that assign one of the names that config.py reads."""
    for path in (CHECKOUT / "designate").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = (
                node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            )
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if names & {"OPTS", "OPTIONS_BY_GROUP"}:
                yield ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)


def test_every_module_with_options_is_gathered() -> None:
    assert sorted(config.MODULES) == sorted(declaring_modules())


def test_registering_twice_does_no_harm() -> None:
    conf = cfg.ConfigOpts()
    config.register(conf)
    config.register(conf)

    conf([], default_config_files=[], default_config_dirs=[])

    assert conf["service:central"].default_pool_id == "794ccc2c-d751-44fe-b57f-8894c9f5c842"


def test_no_option_is_declared_twice() -> None:
    for group, options in config.list_opts():
        names = [option.dest for option in options]

        assert sorted(names) == sorted(set(names)), group


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_is_explained(group: str, option: cfg.Opt) -> None:
    assert len((option.help or "").split()) >= 2, group


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_default_is_valid(group: str, option: cfg.Opt) -> None:
    if option.default is None or option.sample_default is not None:
        return
    values = option.default if isinstance(option.default, list) else [option.default]
    item_type = getattr(option.type, "item_type", option.type)

    for value in values:
        assert item_type(str(value)) == value, group


def test_the_reference_is_current() -> None:
    """Regenerate it with: python -m designate.config > doc/configuration.md."""
    page = (CHECKOUT / "doc" / "configuration.md").read_text(encoding="utf-8")

    assert page == config.reference()


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (generator.main, "designate.conf.sample"),
        (policy_generator.generate_sample, "policy.yaml.sample"),
    ],
    ids=["designate.conf.sample", "policy.yaml.sample"],
)
def test_the_samples_are_current(
    write: Callable[[list[str]], None], name: str, tmp_path: Path
) -> None:
    """Regenerate them with: tox -e genconfig."""
    namespace = "designate.conf" if name.startswith("designate") else "designate"

    write(["--namespace", namespace, "--output-file", str(tmp_path / name)])

    current = (CHECKOUT / "etc" / "designate" / name).read_text(encoding="utf-8")
    assert (tmp_path / name).read_text(encoding="utf-8") == current


def test_the_sample_generator_finds_the_options() -> None:
    (found,) = entry_points(group="oslo.config.opts", name="designate.conf")

    assert found.load()() == config.list_opts()
