"""Which days are counted for statistics next. Only reads."""

from database.tables import stale_days
from storage import Row, UnitOfWork

MOST_AT_ONCE = 400  # a server that stops waits for them


def days_to_count(uow: UnitOfWork) -> list[Row]:
    """The newest stale days as {company_id, day}. Today is left out: it changes with every new ticket."""
    day = stale_days.c.day
    of_other_days = uow.query(stale_days).where(day != uow.real_now[:10])
    return uow.find(of_other_days.order_by(day.desc(), stale_days.c.company_id).limit(MOST_AT_ONCE))
