"""The deliveries of webhooks that follow from a write. They are stored in its transaction, with bodies as of that
moment.

storage.py calls this before each commit of changes that the history records. A company without webhooks costs nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial

from core.models import Actor
from database.tables import events as history_table
from database.tables import webhooks
from services.events import happenings, shapes
from services.events.happenings import Happening
from services.webhooks import bodies, deliveries, subscriptions
from storage import Row, Storage, UnitOfWork


class Outgoing:
    """Makes the deliveries of a write. `wake` is called after its commit."""

    def __init__(self, storage: Storage, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._wake = wake

    def __call__(self, uow: UnitOfWork) -> None:
        """Adds the deliveries that follow from what this unit of work recorded in the history."""
        subscribed = self._webhooks(uow)
        if not subscribed:
            return
        # No other write of the company has this order stamp, so these are the rows of this write.
        e = history_table.c
        rows = uow.find(uow.query(history_table).where(e.created_at == uow.now, e.subject.in_(happenings.SUBJECTS)))
        event_names = {name for webhook in subscribed for name in webhook["events"]}
        news = [one for one in happenings.derive(rows) if one.event in event_names]
        if news:
            self._add(uow, subscribed, news)

    def _add(self, uow: UnitOfWork, subscribed: Sequence[Row], news: Sequence[Happening]) -> None:
        by_id = {one.id: one for one in news}
        new = []
        for event in shapes.shapes(uow, news):
            targets = [webhook for webhook in subscribed if event["event"] in webhook["events"]]
            rendered = {form: bodies.render(event, form) for form in {webhook["format"] for webhook in targets}}
            new += [(webhook["id"], by_id[event["id"]], rendered[webhook["format"]]) for webhook in targets]
        if new:
            deliveries.add(uow, new)
            uow.after_commit.append(self._wake)

    def _webhooks(self, uow: UnitOfWork) -> Sequence[Row]:
        """The active webhooks of the company: from memory where no other process can add one."""
        if not self._storage.exclusive:
            return subscriptions.active_ones(uow)
        company = uow.actor.company_id
        return self._storage.cached((webhooks,), ("webhooks", company), partial(self._committed, company))

    def _committed(self, company: str) -> Sequence[Row]:
        """As of the last commit: a webhook that is not committed yet gets no events, and it may still be refused."""
        with self._storage.unit_of_work(Actor.system(company)) as uow:
            return subscriptions.active_ones(uow)
