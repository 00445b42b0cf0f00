"""Takes over the settings of an imported company, each by the rules of the API."""

from collections.abc import Callable, Mapping

from core.errors import AppError
from database.tables import companies
from services import settings
from services.transfers.arrivals import Tally
from storage import Row, UnitOfWork

ALWAYS, IF_NONE, NEVER = "always", "if_none", "never"
FILE = "settings.json"


def take(uow: UnitOfWork, values: Row, when: str, check: Callable[[Row], Row], tally: Tally) -> None:
    """Sets what differs from the settings of the company.

    `when` is ALWAYS, NEVER, or IF_NONE: only if the company has no settings of its own. What is refused is told in `tally`.
    """
    company = uow.get(companies, uow.actor.company_id, lock=True)
    if company is None or when == NEVER or (when == IF_NONE and company["settings"]):
        return
    for name in sorted(values.keys() - settings.SETTINGS.keys()):
        tally.tell(FILE, 0, name, "There is no such setting.")
    for name in settings.SETTINGS:  # in this order: a budget needs prices
        if name in values:
            _set(uow, name, values[name], check, tally)


def _set(uow: UnitOfWork, name: str, value: object, check: Callable[[Row], Row], tally: Tally) -> None:
    current: Mapping[str, object] = settings.current(uow)
    if current[name] == value:
        return
    try:
        checked = check({name: value})
        with uow.attempt():
            settings.change(uow, {name: checked.get(name, settings.SETTINGS[name].default)})
    except AppError as error:
        if error.status >= 500:
            raise
        tally.tell(FILE, 0, name, error.message)
