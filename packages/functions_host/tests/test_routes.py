from __future__ import annotations

import pytest
from functions_host.errors import StartError
from functions_host.http.routes import Table, decode_path, parse


def values(template: str, path: str) -> dict[str, str] | None:
    return parse(template, ["GET"], None, "test").match(decode_path(path).strip("/"))


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/b", "a/b", {}),
        ("a/b", "A/B/", {}),
        ("a/b", "a/b/c", None),
        ("a/{x}", "a/1", {"x": "1"}),
        ("a/{x}", "a", None),
        ("a/{x}", "a/1/2", None),
        ("a/{x?}", "a", {}),
        ("a/{x?}", "a/1", {"x": "1"}),
        ("a/{x=seven}", "a", {"x": "seven"}),
        ("a/{x:int=7}", "a", {"x": "7"}),
        ("a/{x:int=7}", "a/8", {"x": "8"}),
        ("a/{x:int?}", "a/b", None),
        ("{*rest}", "", {}),
        ("{*rest}", "a/b/c", {"rest": "a/b/c"}),
        ("a/{*rest}", "a", {}),
        ("a/{**rest}", "a/b%20c/d", {"rest": "b c/d"}),
        ("a/{x}", "a/b%2Fc", {"x": "b%2Fc"}),
        ("a/{x}", "a/%C3%A9", {"x": "é"}),
        ("f/{name}.{ext}", "f/a.b.c", {"name": "a.b", "ext": "c"}),
        ("f/v{major}-{minor}", "f/v1-2", {"major": "1", "minor": "2"}),
        ("a.b/{x}", "aXb/1", None),
        ("", "", {}),
    ],
)
def test_a_template_matches_as_in_asp_net(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert values(template, path) == expected


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ("int", ["0", "-5", "2147483647"], ["2147483648", "x", "1.5"]),
        ("long", ["9223372036854775807"], ["9223372036854775808", "x"]),
        ("bool", ["true", "FALSE"], ["1", "yes"]),
        ("guid", ["9f1c0c4e-53e2-4f43-9f0e-0a5a8f7f3b0a"], ["9f1c"]),
        ("alpha", ["abC"], ["ab1", "a-b"]),
        ("decimal", ["1", "1.5", "-2.25"], ["x", "1e5"]),
        ("double", ["1e5", ".5"], ["x"]),
        ("float", ["1.5"], ["x"]),
        ("datetime", ["2026-01-31", "2026-01-31T10:00:00Z"], ["2026-13-01", "soon"]),
        ("length(3)", ["abc"], ["ab", "abcd"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("min(5)", ["5", "60"], ["4", "x"]),
        ("max(5)", ["5", "-1"], ["6", "x"]),
        ("range(2,4)", ["2", "4"], ["1", "5"]),
        (r"regex(^\d{{3}}-x$)", ["123-X"], ["12-x", "1234-x"]),
        ("regex(^(a|b)$)", ["a"], ["c"]),
        ("int:min(5)", ["5"], ["4", "x"]),
        ("required", ["x"], []),
        ("nonfile", ["page"], ["page.html"]),
        ("file", ["page.html"], ["page"]),
    ],
)
def test_constraints_decide_what_matches(constraint: str, good: list[str], bad: list[str]) -> None:
    template = f"a/{{x:{constraint}}}"
    assert [text for text in good if values(template, f"a/{text}") != {"x": text}] == []
    assert [text for text in bad if values(template, f"a/{text}") is not None] == []


@pytest.mark.parametrize(
    "template", ["a/{x:prime}", "a/{x", "a/{*rest}/b", "{x}/{x}", "a/{}", "a/{x:range(a)}", "a/{x:regex(()}"]
)
def test_a_bad_template_is_refused_with_the_functions_name(template: str) -> None:
    with pytest.raises(StartError, match="function 'f'"):
        parse(template, ["GET"], None, "function 'f'")


def test_the_order_of_registration_does_not_matter_but_precedence_does() -> None:
    table = Table()
    for template in ("{*all}", "items/{id}", "items/{id:int}", "items/latest", "items/{id}/parts"):
        table.add(template, ["GET"], template, "test")
    chosen = {}
    for path in ("items/latest", "items/5", "items/x", "items/5/parts", "other"):
        found = table.find("GET", path)
        assert not isinstance(found, frozenset)
        chosen[path] = found[0].target
    assert chosen == {
        "items/latest": "items/latest",
        "items/5": "items/{id:int}",
        "items/x": "items/{id}",
        "items/5/parts": "items/{id}/parts",
        "other": "{*all}",
    }


def test_methods_choose_between_functions_of_one_path() -> None:
    table = Table()
    table.add("a", ["GET"], "get", "test")
    table.add("a", ["POST"], "post", "test")
    get, post, head = (table.find(method, "a") for method in ("GET", "POST", "HEAD"))
    assert not isinstance(get, frozenset)
    assert get[0].target == "get"
    assert not isinstance(post, frozenset)
    assert post[0].target == "post"
    assert not isinstance(head, frozenset)
    assert head[0].target == "get"
    assert table.find("DELETE", "a") == frozenset({"GET", "POST"})
    assert table.find("GET", "b") == frozenset()


def test_a_less_specific_function_with_the_method_beats_a_405() -> None:
    table = Table()
    table.add("a/fixed", ["POST"], "post", "test")
    table.add("a/{x}", ["GET"], "get", "test")
    found = table.find("GET", "a/fixed")
    assert not isinstance(found, frozenset)
    assert found[0].target == "get"
