"""Comments leave a module, and nothing else does. What is written where: test_static_files."""

from __future__ import annotations

import pytest

from dashboard.hashed_files import without_comments, write_hashed


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("// all of it", ""),
        ("a(); // why\nb();", "a();\nb();"),
        ("/** one\n * two */\na();", "\n\na();"),
        ("return/* so */a;", "return a;"),
        ("f(/** @type {any} */ (a));", "f(  (a));"),
        ("a\n/* one\n two */(b);", "a\n\n(b);"),
        ('u = "https://fal.run"; // one', 'u = "https://fal.run";'),
        ("t = `// ${/* x */ a} /* y */`;", "t = `// ${  a} /* y */`;"),
        ("r = /\\/\\/[/*]/; s = a / b; // c", "r = /\\/\\/[/*]/; s = a / b;"),
        ("class A { #x = 1; /* y */ }", "class A { #x = 1;  }"),
        ("é(); // ü", "é();"),
        ("not ( a module // at all", "not ( a module // at all"),
    ],
)
def test_comments_go_and_lines_and_texts_stay(source, left):
    assert without_comments(source.encode()).decode() == left


def test_a_module_that_imports_itself_by_way_of_another_is_an_error(tmp_path):
    paths = {}
    for name, other in (("a", "b"), ("b", "a")):
        paths[f"js/{name}.js"] = tmp_path / f"{name}.js"
        paths[f"js/{name}.js"].write_text(f'import "./{other}.js";')
    with pytest.raises(RecursionError):
        write_hashed(paths, tmp_path / "new")
