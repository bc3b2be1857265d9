"""What every page needs that is one file: data in a script, and a policy that allows no more."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from markupsafe import Markup


def json_in_html(value: Any) -> Markup:
    """Return a value as JSON that ends no script element."""
    return Markup(json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026"))


def sources_of(*texts: str) -> str:
    """Return the source list of a policy that allows exactly these inline styles or scripts."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in texts]
    return " ".join(f"'sha256-{digest.decode()}'" for digest in digests)


def policy_for(*, style: str, script: str, image: str = "'none'") -> str:
    """Return a Content-Security-Policy with these source lists, and no network."""
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; img-src {image}; "
        "base-uri 'none'; form-action 'none'"
    )
