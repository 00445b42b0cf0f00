"""Takes mail in: finds its company and keeps it. Nothing of the mail is judged here; a job reads it later."""

from channels import mail_parser
from core.models import Actor
from services.accounts.inbound_companies import companies_for
from services.inbound import records
from storage import Storage


def take(storage: Storage, media: str, body: bytes) -> list[str]:
    """Keeps a mail for each company it belongs to and returns the ids, committed. Raises AppError 413, 503."""
    envelope, named = mail_parser.recipients_of(media, body)
    original, ids = records.pack(body), []
    for company_id in companies_for(storage, envelope, named):
        with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
            ids.append(records.take_mail(uow, media, original))
    return ids
