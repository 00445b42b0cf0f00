"""Answers to an agent's questions about a ticket: the model's, or what supports an answer best, quoted."""

import time
from collections.abc import Sequence

from ai import copilot_prompts
from ai.copilot_prompts import Case
from ai.extracts import is_question, sentences
from ai.reply_checks.guards import plain_text
from ai.retrieval.index import Article, ArticleIndex, Hit
from services.copilot import support
from services.copilot.summaries import recent
from services.knowledge.citations import shown as shown_citations
from services.knowledge.company_index import ENCODE_SECONDS, terms
from services.model_access import ModelAccess
from services.tickets import changes, similar
from storage import Row, UnitOfWork

NOTHING = "No article, no resolved ticket and no message of this ticket answers that. Ask the customer or a colleague."


def answer(access: ModelAccess, ticket_id: str, question: str) -> tuple[Row, str]:
    """The `answer`, its `citations` and `source`, and why the model did not write it. Raises AppError 404.

    Without the model it quotes the better of an article (knowledge) and a past resolution (learned). Without either it
    quotes the ticket's own messages (rules). Else it says that nothing answers the question (canned).
    """
    started = time.monotonic()
    with access.open_uow() as uow:
        ticket = changes.get(uow, ticket_id)
        thread = recent(uow, ticket_id)
        # The model also sees what is known about the ticket's matter; a quotation must answer the question itself.
        hits = support.passages(uow, access, [question, f"{ticket['title']}. {question}"])
        others = similar.find_similar(uow, access.trained_models, ticket).others if access.model else []
    case = Case(ticket, thread, hits, others)
    model_answer, reason = access.ask(
        lambda model, ends: copilot_prompts.answer(case, model, question, ends=ends), started=started
    )
    with access.open_uow() as uow:
        if model_answer is None:
            text, ids, source = _without_model(uow, access, ticket, thread, question)
        else:
            text, ids, source = model_answer.text, model_answer.citations, "model"
        return {"answer": text, "citations": shown_citations(uow, ids), "source": source}, reason


def _without_model(
    uow: UnitOfWork, access: ModelAccess, ticket: Row, thread: Sequence[Row], question: str
) -> tuple[str, list[str], str]:
    """The text, the ids of articles and the source of the best answer."""
    hit = next(iter(support.passages(uow, access, [question])), None)
    past = support.best_resolution(uow, access, ticket, thread, [question])
    if hit and hit.score >= support.QUOTE_SCORE and (past is None or hit.score >= past.score):
        return f"From the article “{hit.title}”: {hit.passage}", [hit.article_id], "knowledge"
    if past:
        return f"Ticket #{past.number} is like this one and was resolved so: {past.text}", [], "learned"
    own = _of_ticket(access, ticket, thread, question)
    if own and own.score >= support.QUOTE_SCORE:
        return f"From this ticket: {plain_text(own.passage)}", [], "rules"
    return NOTHING, [], "canned"


def _of_ticket(access: ModelAccess, ticket: Row, thread: Sequence[Row], question: str) -> Hit | None:
    """The sentences of the ticket's own messages that answer the question best, questions left out."""
    bodies = [ticket["description"], *(entry["body"] for entry in thread)]
    messages = [" ".join(line for line in sentences(body) if not is_question(line)) for body in bodies]
    index = ArticleIndex(access.trained_models.embeddings, terms)
    index.update({str(place): Article("", message, 1) for place, message in enumerate(messages) if message})
    index.encode(seconds=ENCODE_SECONDS)
    return next(iter(index.search(question, 1)), None)
