"""What an endpoint of the API is: its address, its view, and what the document says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint

from kamioi_web.auth.guard import require_role
from kamioi_web.filters import Parameter
from kamioi_web.schema import ROLES


@dataclass(frozen=True)
class Endpoint:
    """One address of the API: `answer` is the type of what it gives, `body` of what it is sent."""

    name: str
    path: str
    view: Callable[..., Any]
    title: str
    answer: Any
    group: str
    about: str = ""
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    role: str = ROLES[0]
    status: int = 200  # of what it gives
    keyed: bool = False  # heeds an Idempotency-Key
    open: bool = False  # answers without a token
    example: str = ""  # what follows the path in an example

    def register(self, pages: Blueprint) -> None:
        """Give it its URL, behind its role."""
        view = self.view if self.open else require_role(self.role)(self.view)
        pages.add_url_rule(self.path, endpoint=f"api/{self.name}", view_func=view, methods=[self.method])
