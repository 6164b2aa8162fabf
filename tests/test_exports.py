"""What each module says it offers, and whether it does."""

import ast
import importlib
import inspect
import re

import pytest

import fsm_diagrams
import warm_transfer
from tests.sources import MODULES, Module, is_under

#: A script: what it offers is its command line.
NO_EXPORTS = {"fsm_diagrams.__main__": "python -m runs it, nobody imports from it"}

OFFERING = [m for m in MODULES if not m.says_only_what_it_is and m.name not in NO_EXPORTS]


def exports(module: Module) -> list[str]:
    """The module's ``__all__``, read and not run."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names = ast.literal_eval(node.value)
            assert isinstance(names, list)
            return names
    raise AssertionError(f"{module.name} has no __all__")


def in_order(name: str) -> tuple[int, str]:
    """Constants, classes, functions, as ruff sorts them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


@pytest.mark.parametrize("module", OFFERING, ids=[module.name for module in OFFERING])
def test_a_module_names_what_it_offers_in_order_and_once(module: Module) -> None:
    names = exports(module)
    assert names == sorted(names, key=in_order)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("module", OFFERING, ids=[module.name for module in OFFERING])
def test_a_module_offers_what_it_names(module: Module) -> None:
    loaded = importlib.import_module(module.name)
    for name in exports(module):
        assert hasattr(loaded, name), f"{module.name}.{name}"


@pytest.mark.parametrize("module", OFFERING, ids=[module.name for module in OFFERING])
def test_a_module_offers_nothing_private(module: Module) -> None:
    assert not [name for name in exports(module) if name.startswith("_")]


@pytest.mark.parametrize("package", [warm_transfer, fsm_diagrams])
def test_a_package_offers_what_its_lazy_map_loads(package: object) -> None:
    where: dict[str, str] = vars(package)["_WHERE"]
    assert set(where) == set(vars(package)["__all__"])
    name = vars(package)["__name__"]
    for each, place in where.items():
        loaded = importlib.import_module(f"{name}.{place}")
        assert getattr(package, each) is getattr(loaded, each)
        assert each in loaded.__all__, f"{name}.{place} does not offer {each}"


@pytest.mark.parametrize("package", [warm_transfer, fsm_diagrams])
def test_a_package_lists_what_it_offers(package: object) -> None:
    assert dir(package) == sorted(vars(package)["__all__"])


@pytest.mark.parametrize("package", [warm_transfer, fsm_diagrams])
def test_a_name_that_is_not_offered_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]  # the point of the test


@pytest.mark.parametrize("package", [warm_transfer, fsm_diagrams])
def test_type_checkers_see_the_same_names(package: object) -> None:
    module = next(m for m in MODULES if m.name == vars(package)["__name__"])
    for_types = {
        alias.name
        for node in module.tree.body
        if isinstance(node, ast.If)
        for each in node.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }
    assert for_types == set(exports(module))


#: For tests: the seam to the SDK, and a table of one's own.
PRIVATE = {"Sdk", "Table"}


@pytest.mark.parametrize(
    "public", [warm_transfer.WarmTransferTask, warm_transfer.Transfer, warm_transfer.Plan]
)
def test_what_a_public_signature_names_is_public(public: type) -> None:
    module = importlib.import_module(public.__module__)
    said = " ".join(
        str(each) for each in inspect.get_annotations(vars(public)["__init__"]).values()
    )
    named = {vars(module).get(each) for each in re.findall(r"\w+", said)}
    ours = {
        each.__name__
        for each in named
        if isinstance(each, type) and is_under(each.__module__, "warm_transfer")
    }
    assert ours - PRIVATE <= set(warm_transfer.__all__)
