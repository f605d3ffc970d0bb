"""The rules of the house that no linter knows, each with a control that breaks it."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import APPS, ROOT, files, named, parse, python_files

MOST_FILE_LINES = 400
LONGER_ON_PURPOSE: dict[str, str] = {}
"""Path and why; none at present."""
MOST_FUNCTION_LINES = 60
MOST_ARGUMENTS = 6

Fault = tuple[int, str]
Check = Callable[[ast.Module], Iterator[Fault]]


def faults(check: Check, paths: list) -> list[str]:
    return [f"{named(path, line)} {what}" for path in paths for line, what in check(parse(path))]


def reaches_for_objects(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}:
            yield node.lineno, f"uses .{node.attr}: ask a query or a service"


def uses_floats(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"has the float {node.value}: quantities and money are Decimal"
        elif isinstance(node, ast.Name) and node.id in {"float", "FloatField"}:
            yield node.lineno, f"names {node.id}: quantities and money are Decimal"
        elif isinstance(node, ast.Attribute) and node.attr == "FloatField":
            yield node.lineno, "names FloatField: quantities and money are Decimal"


def leaves_work_open(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
            yield node.lineno, "raises NotImplementedError"
        if isinstance(node, ast.Name) and node.id == "breakpoint":
            yield node.lineno, "calls breakpoint"


def can_run_code_from_a_file(tree: ast.Module) -> Iterator[Fault]:
    """Beyond the imports that the contract forbids: loaders that unpickle or evaluate."""
    refused = {"eval", "exec", "torch.load", "torch.save", "yaml.load", "numpy.load", "np.load"}
    refused |= {"pd.read_pickle", "pandas.read_pickle"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in refused:
            yield node.lineno, f"calls {ast.unparse(node.func)}"


def flows_through_signals(tree: ast.Module) -> Iterator[Fault]:
    refused = {"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in refused:
            yield node.lineno, f"listens to {node.id}: business flow is in services"


def has_long_functions(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines"


def has_many_arguments(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([argument for argument in given if argument.arg not in {"self", "cls"}])
            if count > MOST_ARGUMENTS:
                yield node.lineno, f"{node.name} takes {count} arguments: a dataclass is missing"


def test_pages_and_api_ask_queries_and_services_never_a_manager() -> None:
    paths = files(*(f"{app}/{floor}/**/*.py" for app in APPS for floor in ("pages", "api")))

    assert faults(reaches_for_objects, paths) == []


def test_stock_code_knows_no_float() -> None:
    paths = files("inventory/models/*.py", "inventory/services/*.py", "inventory/rules/*.py")

    assert faults(uses_floats, paths) == []


def test_nothing_is_left_open() -> None:
    assert faults(leaves_work_open, python_files()) == []
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    left = [
        named(path, number)
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(mark in line for mark in marks)
    ]
    assert left == []


def test_nothing_that_can_run_code_is_loaded() -> None:
    assert faults(can_run_code_from_a_file, python_files()) == []


def test_business_flow_never_hides_in_signals() -> None:
    assert faults(flows_through_signals, python_files()) == []


def test_functions_stay_short_enough_to_read() -> None:
    assert faults(has_long_functions, python_files()) == []


def test_files_stay_short_enough_to_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files()
    }
    long = {name for name, count in lengths.items() if count > MOST_FILE_LINES}

    assert long - set(LONGER_ON_PURPOSE) == set()
    assert set(LONGER_ON_PURPOSE) - long == set(), "shorter now: take it off the list"


def test_functions_take_six_arguments_at_most() -> None:
    assert faults(has_many_arguments, python_files()) == []


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (reaches_for_objects, "Product.objects.all()", "products(search='x')"),
        (uses_floats, "price = 0.5", "price = Decimal('0.5')"),
        (uses_floats, "x = float(row.quantity)", "x = Decimal(row.quantity)"),
        (uses_floats, "f = models.FloatField()", "f = models.DecimalField()"),
        (leaves_work_open, "raise NotImplementedError", "raise InsufficientStock"),
        (can_run_code_from_a_file, "torch.load(path)", "safetensors.torch.load_file(path)"),
        (flows_through_signals, "post_save.connect(f)", "request_started.connect(f)"),
        (has_long_functions, "def f():\n" + "    g()\n" * 60, "def f():\n" + "    g()\n" * 59),
        (has_many_arguments, "def f(a, b, c, d, *, e, f, g): ...", "def f(self, a, b, c): ..."),
    ],
)
def test_each_check_sees_its_fault_and_only_that(check: Check, bad: str, good: str) -> None:
    assert list(check(ast.parse(bad)))
    assert not list(check(ast.parse(good)))
