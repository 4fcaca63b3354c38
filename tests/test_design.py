"""The look keeps its promises: contrast, no inline code, every template loads, every icon exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

BASE = Path(settings.BASE_DIR)
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))
TOKENS_CSS = BASE / "static/css/lib/tokens.css"
STYLES = sorted((BASE / "static" / "css").rglob("*.css"))
SCRIPTS = sorted((BASE / "static" / "js").rglob("*.js"))

TOKEN = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\);")
TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in TOKEN.findall(TOKENS_CSS.read_text())
}
SURFACES = ("bg", "surface", "raised", "hover", "code-bg")
WORDS = ("text", "muted", "accent")
HUES = ("grey", "purple", "amber", "blue", "green", "red", "orange")
PAIRS = [
    *((word, ground) for word in WORDS for ground in SURFACES),
    *((hue, f"{hue}-soft") for hue in HUES),
    *((hue, ground) for hue in HUES for ground in ("surface", "hover", "bg")),
    *(("text", f"{hue}-soft") for hue in HUES),
    *((word, "accent-soft") for word in WORDS),
    *(("on-accent", fill) for fill in ("accent-fill", "accent-fill-hover", "red-fill")),
]


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_the_contrast_formula_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def faint(pairs: Iterable[tuple[str, str]], least: float) -> list[str]:
    """The pairs whose contrast is below `least` in one of the themes."""
    return [
        f"{word} on {ground}, {theme}"
        for word, ground in pairs
        for theme in ("light", "dark")
        if contrast(TOKENS[word][theme], TOKENS[ground][theme]) < least
    ]


def test_words_can_be_read_on_their_ground() -> None:
    assert faint(PAIRS, 4.5) == []


def test_the_focus_ring_can_be_seen() -> None:
    assert faint([("focus", ground) for ground in SURFACES], 3) == []


def test_styles_use_tokens_that_exist_and_no_colours_of_their_own() -> None:
    tokens = TOKENS_CSS.read_text()
    for path in STYLES:
        text = path.read_text()
        defined = set(re.findall(r"(--[\w-]+):", tokens + text))
        assert set(re.findall(r"var\((--[\w-]+)", text)) <= defined, path
        if path.name != "tokens.css":
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", text), path
        assert "gradient" not in text, path
        text = re.sub(r'@import url\("[\w./]+\.css"\);', "", text)
        # A fragment names a pattern of the page itself.
        assert not re.search(r"url\((?!\"#)", text), path


def without_comments(text: str) -> str:
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)
    return re.sub(r"\{#.*?#\}", "", text)


def test_a_template_has_no_inline_code_and_escapes_everything() -> None:
    for path in TEMPLATES:
        text = without_comments(path.read_text())
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in script, (path, script)
        assert "<style" not in text, path
        assert not re.search(r"<[^>]*\sstyle\s*=", text), path
        assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), path
        assert not re.search(r"hx-on|javascript:|hx-vals=['\"]js:", text), path
        assert not re.search(r"\|\s*safe\b|autoescape\s+off|safeseq", text), path


def test_a_template_loads() -> None:
    for path in TEMPLATES:  # a mistake tells the template's name
        assert get_template(str(path.relative_to(BASE / "templates")))


def test_every_static_file_that_is_named_exists() -> None:
    for path in TEMPLATES:
        for name in re.findall(r"{%\s*static\s+['\"]([^'\"]+)['\"]", path.read_text()):
            assert finders.find(name), f"{path.name}: {name}"
    for path in SCRIPTS:
        for name in re.findall(r'(?:from|import)\s+"\./([^"]+)"', path.read_text()):
            assert (path.parent / name).is_file(), f"{path.name}: {name}"


def test_scripts_neither_evaluate_text_nor_speak_to_other_hosts() -> None:
    for path in SCRIPTS:
        text = path.read_text()
        assert not re.search(r"\beval\(|new Function|document\.write|insertAdjacentHTML", text), (
            path
        )
        assert not re.search(r"""["'`]https?://""", re.sub(r"//.*", "", text)), path


def rules_of(style: Path) -> set[str]:
    """The selectors of a style sheet, each with the condition it stands in."""
    found: set[str] = set()
    around: list[str] = []
    text = re.sub(r"/\*.*?\*/", "", style.read_text(), flags=re.DOTALL)
    for before, sign in re.findall(r"([^{}]*)([{}])", text):
        if sign == "}":
            around.pop()
            continue
        around.append(" ".join(before.rpartition(";")[2].split()))
        if not around[-1].startswith("@"):
            found.add(" ".join(around))
    return found


def test_no_selector_has_rules_in_two_files() -> None:
    """One name has one look, whatever pages load."""
    seen: dict[str, Path] = {}
    twice = [
        f"{rule}: {seen[rule].name}, {style.name}"
        for style in STYLES
        for rule in rules_of(style)
        if seen.setdefault(rule, style) != style
    ]
    assert twice == []
