"""Every public docstring is whole: one line, its arguments and no others, what is returned and raised, an example."""

import importlib.util
import inspect
import re
import sys
from functools import cached_property
from pathlib import Path

import pytest

import fpsolve as fp
from fpsolve import claims

DOCS = Path(__file__).resolve().parents[1] / "docs"
spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
reference = sys.modules.setdefault("reference", importlib.util.module_from_spec(spec))
if not hasattr(reference, "page"):
    spec.loader.exec_module(reference)

OWNERS = (fp, fp.models, fp.measure, claims)
PUBLIC = {
    f"{owner.__name__}.{name}": getattr(owner, name)
    for owner in OWNERS
    for name in owner.__all__
    if name not in reference.PARTS
}
ENTRIES = re.compile(rf"(?:^|\.  )({reference.NAMES}): ", re.MULTILINE)
ERRORS = {
    name for name, found in vars(fp.errors).items() if inspect.isclass(found) and issubclass(found, fp.FpsolveError)
}
CHECKS = {name for name, found in vars(fp.checks).items() if inspect.isfunction(found)}


def members(owner):
    """The public methods and properties of a class, as functions."""
    for name in dir(owner):
        found = inspect.getattr_static(owner, name)
        for inner in ("__func__", "fget", "func"):
            found = getattr(found, inner, None) or found
        if not name.startswith("_") and inspect.isfunction(found):
            yield name, found


def arguments(found):
    names = inspect.signature(found).parameters if callable(found) else ()
    return {name for name in names if name not in ("self", "cls")}


def described(doc):
    """The names that the docstring's lists explain, its first paragraph and its examples apart."""
    text = doc.partition("\n\n")[2].partition(">>>")[0]
    entries = (re.sub(r" \([^)]*\)", "", names) for names in ENTRIES.findall(text))
    return {name for names in entries for name in names.split(", ")}


def raised(code):
    """The errors that a function names in its code, and what it leaves to the checks of arguments."""
    names = set(code.co_names).union(*(raised(inner) for inner in code.co_consts if inspect.iscode(inner)))
    return (names & ERRORS) | ({"InvalidInput"} if names & CHECKS else set())


def faults(found, doc):
    """What is missing from the docstring of a public function or class, in words."""
    first = doc.partition("\n\n")[0]
    if "\n" in first or not first.endswith((".", ":")):
        yield "the first paragraph is not one line"
    if ">>> " not in doc:
        yield "no example"
    yield from (f"{name} is not told" for name in arguments(found) if not re.search(rf"\b{name}\b", doc))
    known = arguments(found) | (set(dir(found)) if inspect.isclass(found) else set())
    yield from (f"{name} does not exist" for name in described(doc) - known)
    if inspect.isfunction(found):
        yield from (f"no {word}" for word in ("Returns", "Raises") if word.lower() not in doc.lower())
        thrown = raised(found.__code__)
    else:
        hands = (vars(found).get(name) for name in ("__init__", "__post_init__", "__new__"))
        thrown = set().union(*(raised(hand.__code__) for hand in hands if inspect.isfunction(hand)))
    yield from (f"{error} is raised" for error in thrown if error not in doc)


def member_faults(owner, member, doc):
    """The same of a method or property: no example is asked for, and recurring arguments are told at the head."""
    if not doc or "\n" in doc.partition("\n\n")[0]:
        yield "the first paragraph is not one line"
    yield from (f"{name} does not exist" for name in described(doc) - arguments(member) - set(dir(owner)))
    told = doc + (reference.THROUGHOUT["changes"] if "changes" in arguments(member) else "")
    yield from (f"{error} is raised" for error in raised(member.__code__) if error not in told)


WHOLE = {name: found for name, found in PUBLIC.items() if not (inspect.isclass(found) and issubclass(found, Exception))}


def test_every_public_name_is_explained():
    missing = {name: list(faults(found, inspect.getdoc(found) or "")) for name, found in WHOLE.items()}
    assert not {name: what for name, what in missing.items() if what}


def test_methods_and_properties_are_explained():
    missing = {
        f"{name}.{own}": list(member_faults(found, member, inspect.getdoc(member) or ""))
        for name, found in WHOLE.items()
        if inspect.isclass(found)
        for own, member in members(found)
    }
    assert len(missing) > 400
    assert not {name: what for name, what in missing.items() if what}


def test_errors_and_warnings_say_what_they_mean():
    for name in set(PUBLIC) - set(WHOLE):
        assert inspect.getdoc(PUBLIC[name]).partition("\n")[0].endswith("."), name


@pytest.mark.parametrize(
    ("whole", "broken", "fault"),
    [
        (">>> ", "", "no example"),
        ("k: how many", "How many", "k is not told"),
        ("Raises ", "", "no Raises"),
        ("Returns a", "A", "no Returns"),
        ("samples: of", "sample: of", "sample does not exist"),
        ("one).\n\n", "one)\n", "the first paragraph is not one line"),
        ("InvalidInput", "ValueError", "InvalidInput is raised"),
    ],
)
def test_a_broken_docstring_is_noticed(whole, broken, fault):
    doc = inspect.getdoc(fp.hill)
    if fault == "k is not told":
        doc = re.sub(r"\bk\b(?!:)", "m", doc)
    assert whole in doc
    assert not list(faults(fp.hill, inspect.getdoc(fp.hill)))
    assert fault in list(faults(fp.hill, doc.replace(whole, broken)))


def test_a_silent_method_is_noticed():
    class Silent:
        """Of nothing."""

        def ask(self, x):
            """Ask.

            y: what is asked.
            """
            raise fp.InvalidInput(x)

        @cached_property
        def lazy(self):
            return 1

    found = {
        name: list(member_faults(Silent, member, inspect.getdoc(member) or "")) for name, member in members(Silent)
    }
    assert found == {
        "ask": ["y does not exist", "InvalidInput is raised"],
        "lazy": ["the first paragraph is not one line"],
    }


def test_the_page_has_an_entry_and_a_link_for_every_name():
    page = reference.page()
    entries = re.findall(r"^\.\. auto(?:class|function|exception):: (\S+)$", page, re.MULTILINE)
    links = re.findall(r":py:obj:`\w+ <(\S+)>`", page)
    assert len(entries) == len(set(entries))
    assert set(entries) == set(links)
    assert set(PUBLIC.values()) <= {reference._found(name) for name in entries}


def test_each_model_shows_the_head_of_its_module():
    for name in ("fpsolve.models.LinearGaussian", "fpsolve.hill", "fpsolve.TRBDF2", "fpsolve.measure.alignment"):
        head = "\n".join(reference.head(name))
        assert head.startswith(".. admonition:: fpsolve/"), name
        assert "\n   ::\n" in head, name
    assert reference.head("fpsolve.models.InfiniteDepth") == []
