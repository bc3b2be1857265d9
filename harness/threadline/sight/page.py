"""The page of an analysis: the report, in the component that Stryker's own pages are made with."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..html import json_in_html, policy_for, sources_of

FOLDER = files(__package__).joinpath("page_files")
INLINE = "'unsafe-inline'"  # for styles: the component has some of its own on single elements


def page_of(document: dict[str, Any]) -> str:
    """Return a report (`schema.as_json`) as one HTML file, which needs no other and no network."""
    component = f"/*\n{_file('elements-license.txt')}*/\n{_file('elements.js')}"
    script, style = _file("sight.js"), _file("sight.css")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _file("sight.html")
    )
    return template.render(
        title=f"Sight of {document['config']['driver'].rpartition(':')[2]}",
        data=json_in_html(document),
        component=Markup(component),
        script=Markup(script),
        style=Markup(style),
        policy=policy_for(style=INLINE, script=sources_of(component, script), image="data:"),
    )


def _file(name: str) -> str:
    return FOLDER.joinpath(name).read_text("utf-8")
