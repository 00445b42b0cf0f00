"""Every page for people: name, path and who opens it. A new page gets a line in PAGES and is pictured and tested."""

from dataclasses import dataclass

from tools.screenshots.desk import Desk


@dataclass(frozen=True)
class Page:
    """One page. `role` is who is signed in, "" for nobody; `ready` selects what is there when it is complete.

    In `path`, {ticket} stands for the id of the most urgent open ticket that the person sees. With `whole` the picture
    shows the page to its end, not the window alone. `foreign` selects parts that another project makes.
    """

    name: str
    path: str
    role: str = ""
    ready: str = "h1"
    whole: bool = True
    foreign: tuple[str, ...] = ()

    def path_for(self, desk: Desk) -> str:
        """The path at a desk with demo data."""
        return self.path.format(ticket=desk.ticket_of(self.role)) if "{ticket}" in self.path else self.path


# The pages of web/app/admin/sections.js after the dashboard; each has a heading when it is complete.
ADMIN = (
    *("users", "teams", "keys", "settings", "routing", "hours", "macros", "views", "topics", "incidents", "knowledge"),
    *("gaps", "ai", "notices", "webhooks", "import_export", "audit", "jobs", "me"),
)

PAGES = (
    Page("home", "/"),
    Page("first-steps", "/", "admin", ready=".facts"),
    Page("docs", "/docs", ready=".opblock", whole=False, foreign=("#swagger-ui",)),
    Page("confirm", "/confirm"),
    Page("rate", "/rate"),
    Page("sign-in", "/desk", ready=".sign-in"),
    Page("desk", "/desk", "agent", ready=".row"),
    Page("ticket", "/desk/tickets/{ticket}", "agent", ready=".thread .event"),
    Page("admin", "/admin", "admin", ready=".figures"),
    *(Page(f"admin-{name}", f"/admin/{name}", "admin") for name in ADMIN),
    Page("portal-outside", "/portal", ready=".search"),
    Page("portal", "/portal", "customer", ready=".ticket-row"),
    Page("portal-ticket", "/portal/tickets/{ticket}", "customer", ready=".message"),
    Page("portal-new", "/portal/new", "customer"),
    Page("chat", "/chat", "customer"),
)
