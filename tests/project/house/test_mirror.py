"""tests/ mirrors lab/: what is known of a module is asked in the file of its name."""

from __future__ import annotations

import ast
from pathlib import Path

from house import FILES, ROOT

ELSEWHERE = {
    "lab.__main__": "every `wirelab` of the tests goes through it",
    "lab.kernel.recorder": "one call, by which every run of the tests is recorded",
    "lab.kernel.trace.bpf.builder": "test_programs.py: what it builds, which the kernel takes and "
    "runs in test_call_reader.py",
    "lab.kernel.trace.bpf.copies": "test_call_reader.py: what its code copies of every call",
    "lab.kernel.trace.ptrace.ptrace": "one system call; test_tracer.py makes it in every test",
}
"""Modules without a test file of their own, and where they are tested."""

MODULES = [name for name, path in FILES.items()
           if name.startswith("lab.") and path.name != "__init__.py"]  # fmt: skip

RECORDS = {
    "lab.analysis.order.events",
    "lab.analysis.sockets.endpoint",
    "lab.kernel.plan",
    "lab.scene.model",
    "lab.shell.command",
}
"""Modules that do nothing: they say what fields a record has, or what methods an instrument."""

OBSERVED = {
    name
    for name in MODULES
    if name.startswith("lab.records.") and "\n    def " not in FILES[name].read_text("utf-8")
}
"""The same of what was observed, by themselves."""


def file_of(module: str) -> str:
    *folders, name = module.split(".")[1:]
    return "/".join(["tests", *folders, f"test_{name}.py"])


def has_tests(file: Path) -> bool:
    return file.is_file() and "\ndef test_" in file.read_text("utf-8")


def test_a_module_has_a_test_file_of_its_name() -> None:
    by_themselves = set(MODULES) - set(ELSEWHERE) - RECORDS - OBSERVED
    assert by_themselves
    files = sorted(map(file_of, by_themselves))
    assert [file for file in files if not has_tests(ROOT / file)] == []


def test_the_list_of_others_is_short_and_true() -> None:
    assert set(ELSEWHERE) | RECORDS <= set(MODULES)
    assert not [m for m in (*ELSEWHERE, *RECORDS) if (ROOT / file_of(m)).exists()]
    assert len(ELSEWHERE) + len(RECORDS) <= 10


def statements(text: str) -> set[str]:
    """Kinds of what stands in a text's functions, other than their docstrings."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {
        type(statement).__name__
        for function in functions
        for statement in function.body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    }


def test_a_module_of_records_does_nothing() -> None:
    done = {module: statements(FILES[module].read_text("utf-8")) for module in RECORDS | OBSERVED}
    assert {module: kinds for module, kinds in done.items() if kinds} == {}
    assert statements("def f() -> int:\n    'Say.'\n    return 1") == {"Return"}
