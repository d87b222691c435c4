"""Each recipe has a page that prints its whole program, and passes on what it does not handle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, lifespan_scope
from examples.recipes.allowed_hosts import AllowedHosts
from examples.recipes.cors import CORS
from examples.recipes.csrf import CSRFProtection
from examples.recipes.rate_limit import RateLimit
from examples.recipes.request_log import RequestLog
from examples.recipes.trusted_proxy import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted(path.stem for path in (ROOT / "examples/recipes").glob("[!_]*.py"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_of_a_recipe_prints_the_whole_program_once(program: str) -> None:
    page = (ROOT / f"docs/recipes/{program}.md").read_text(encoding="utf-8")
    pattern = r"```\{literalinclude\} \.\./\.\./examples/recipes/(\w+)\.py\n:language: python\n```"
    assert re.findall(pattern, page) == [program]
    assert page.count("literalinclude") == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "wrap",
    [
        lambda app: AllowedHosts(app, {"shop.example"}),
        lambda app: CORS(app, {"https://shop.example"}),
        CSRFProtection,
        lambda app: RateLimit(app, limit=1, seconds=60),
        RequestLog,
        lambda app: TrustedProxies(app, "10.0.0.7"),
    ],
    ids=["AllowedHosts", "CORS", "CSRFProtection", "RateLimit", "RequestLog", "TrustedProxies"],
)
async def test_a_middleware_passes_on_the_lifespan_unchanged(wrap: Callable[[Any], Any]) -> None:
    received: list[Any] = []

    async def application(*arguments: Any) -> None:
        received.append(arguments)

    scope, receive, send = lifespan_scope(), ScriptedReceive(), RecordedSend()
    await wrap(application)(scope, receive, send)
    assert [(one[0] is scope, one[1] is receive, one[2] is send) for one in received] == [(True, True, True)]
