"""The pages of the dashboard as the navigation, the palette and the search list them, in this order."""

from dataclasses import dataclass

from kamioi_web.pages import PAGES
from kamioi_web.schema import ROLES


@dataclass(frozen=True)
class Link:
    """One page: its title, its address, the heading that it stands under, and the least role that may open it."""

    title: str
    href: str
    section: str = ""
    role: str = ROLES[0]

    def holds(self, path: str) -> bool:
        """Whether that path is this page or lies below it."""
        return path == self.href or (self.href != "/" and path.startswith(self.href + "/"))


NAV = (
    Link("Overview", "/"),
    *(Link(page.title, page.href, page.section, page.role) for page in PAGES),
    Link("Analytics", "/analytics"),
    Link("API", "/api", "Operations"),
    Link("Settings", "/settings", "Operations"),
)
