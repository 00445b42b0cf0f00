"""A call of every route with what it needs, for the tests of roles and companies."""

from dataclasses import dataclass
from typing import Any

from tests.support.accounts import GOOD


@dataclass(frozen=True)
class Call:
    """A call that works for whoever may make it: its body, its status, and what it is about."""

    body: Any = None
    ok: int = 200
    query: str = ""
    by: tuple[str, ...] = ()  # callers who may, where the permission alone does not decide
    data: bytes | None = None


REPLY = {"body": "Hello."}


NEW = {"title": "Help", "description": "It broke."}


ARTICLE = {"title": "Question about refunds", "body": "A refund takes five days."}


WEBHOOK = {"url": "https://1.1.1.1/hook", "events": ["ticket.created"]}  # no test sends anything there


USER = {"name": "Bob", "email": "bob@example.com", "role": "agent"}


CALLS = {
    "CreateTicket": Call({**NEW, "customer_email": "ada@example.com"}, 201),
    "ListTickets": Call(),
    "GetTicket": Call(),
    "UpdateTicket": Call({"title": "New"}),
    "PatchTicket": Call({"title": "New"}),
    "DeleteTicket": Call(),
    "AssignTicket": Call({"agent_email": "bob"}),
    "UnassignTicket": Call({}),
    "ResolveTicket": Call({"resolution": "Done."}),
    "ReopenTicket": Call({}, 409),
    "RateTicket": Call({"score": 5}, 409),
    "SayTicketIsSolved": Call({}),
    "ListTicketHistory": Call(),
    "ListReplies": Call(),
    "CreateReply": Call(REPLY, 201),
    "CreateAttachment": Call({"name": "a.txt", "content": "SGVsbG8="}, 201),
    "ListAttachments": Call(),
    "GetAttachment": Call(),
    "DeleteAttachment": Call(),
    "GetAiResponse": Call(),
    "CreateAiResponse": Call({}),
    "ListCustomers": Call(),
    "GetCustomer": Call(),
    "ExportCustomer": Call(),
    "EraseCustomer": Call(),
    "ListChoices": Call(),
    "OnNewTicket": Call(),
    "OnTicketUpdated": Call(),
    "GetSettings": Call(),
    "UpdateSettings": Call({"ai_enabled": False}),
    "ImportTickets": Call([{"description": "From elsewhere.", "customer_email": "ada@example.com"}]),
    "ImportRecords": Call({"customers": [{"customer_email": "eve@example.com", "customer_name": "Eve"}]}),
    "ExportTickets": Call(),
    "FillDemo": Call({}, 409),
    "GetStats": Call(),
    "ExportStats": Call(),
    "GetMe": Call(),
    "UpdateMe": Call({"available": False}, 403, by=()),
    "ListTeams": Call(),
    "CreateTeam": Call({"name": "Night shift"}, 201),
    "UpdateTeam": Call({"name": "Late shift"}),
    "DeleteTeam": Call(),
    "ListRoutingRules": Call(),
    "GetRoutingRule": Call(),
    "CreateRoutingRule": Call({"team": "sales"}, 201),
    "UpdateRoutingRule": Call({"priority": "high"}),
    "DeleteRoutingRule": Call(),
    "TestRouting": Call(NEW),
    "AllowCompany": Call({"company": "default", "confirmed": True}),
    "ChangePassword": Call({"old": GOOD, "new": "another good one"}, 403, by=()),
    "GetTotp": Call(ok=403, by=()),
    "StartTotp": Call({}, 403, by=()),
    "ConfirmTotp": Call({"code": "123456"}, 403, by=()),
    "RenewRecoveryCodes": Call({"code": "123456"}, 403, by=()),
    "DeleteTotp": Call({"password": GOOD}, 403, by=()),
    "ResetTotp": Call(),
    "InviteUser": Call({"email": "new@example.com", "role": "agent"}, 201),
    "ListSessions": Call(),
    "EndSession": Call(ok=404),
    "EndOtherSessions": Call(),
    "ListUsers": Call(),
    "CreateUser": Call(USER, 201),
    "UpdateUser": Call({"name": "New"}),
    "DeleteUser": Call(),
    "ListKeys": Call(),
    "CreateKey": Call({"name": "k", "role": "agent"}, 201),
    "RotateKey": Call({}, 201),
    "RevokeKey": Call(),
    "ListAuditEvents": Call(),
    "ListJobs": Call(),
    "ListTombstones": Call(),
    "CreateTransfer": Call({"kind": "export"}, 409),
    "ListTransfers": Call(),
    "GetTransfer": Call(),
    "GetTransferFile": Call(ok=409),
    "PutTransferFile": Call({}, 409),
    "StopTransfer": Call(),
    "RetryJob": Call({}),
    "TriageText": Call({"text": "I was charged twice."}),
    "ListTopics": Call(),
    "TeachTopics": Call({"text": "Where is my parcel?", "topic": "delivery"}, 201),
    "ForgetTopics": Call({"text": "Where is my parcel?", "topic": "delivery"}),
    "PredictTopic": Call({"text": "Where is my parcel?"}),
    "GetAiQuality": Call(),
    "GetAiUsage": Call(),
    "ListArticles": Call(),
    "CreateArticle": Call({"title": "Refunds", "body": "Five days."}, 201),
    "GetArticle": Call(),
    "UpdateArticle": Call({"title": "New"}),
    "PatchArticle": Call({"title": "New"}),
    "DeleteArticle": Call(),
    "ListArticleHistory": Call(),
    "AskKnowledge": Call({"question": "How long does a refund take?"}),
    "SearchKnowledge": Call(query="?q=refund"),
    "ChangeTickets": Call({"ids": ["none"], "set": {"priority": "high"}}),
    "UndoBulk": Call({"bulk_id": "none"}, 404),
    "ListMacros": Call(),
    "GetMacro": Call(),
    "CreateMacro": Call({"name": "Thanks", "body": "Thank you."}, 201),
    "UpdateMacro": Call({"name": "New"}),
    "DeleteMacro": Call(),
    "UseMacro": Call({"macro_id": "none"}, 404),
    "ListViews": Call(),
    "CreateView": Call({"name": "Open", "filter": {"status": "open"}}, 201),
    "UpdateView": Call({"name": "New"}),
    "DeleteView": Call(),
    "SendChatMessage": Call({"message": "Hello", "customer_email": "ada@example.com"}),
    "GetConversation": Call(),
    "ListMessages": Call(),
    "CloseConversation": Call({}),
    "ReturnConversation": Call({}),
    "ReceiveMessage": Call({"channel": "sms", "sender": "ada@example.com", "text": "Hello", "external_id": "1"}),
    "ListInboundMails": Call(),
    "GetInboundOriginal": Call(),
    "ListSimilarTickets": Call(),
    "SummarizeTicket": Call({}),
    "DraftReply": Call({"tone": "friendly"}),
    "ListDrafts": Call(),
    "ProposeArticle": Call({}, 409),
    "ListKnowledgeGaps": Call(),
    "AskAboutTicket": Call({"question": "What is it about?"}),
    "RecordDraftOutcome": Call({"outcome": "accepted"}),
    "MergeTicket": Call({"into": "none"}, 404),
    "UnmergeTicket": Call({}, 409),
    "LinkTickets": Call({"ticket_id": "none"}, 404),
    "UnlinkTickets": Call({"ticket_id": "none"}, 404),
    "SnoozeTicket": Call({"until": "2020-01-01"}, 400),
    "WatchTicket": Call({"email": "boss@example.com"}),
    "UnwatchTicket": Call({"email": "boss@example.com"}, 404),
    "SetPresence": Call({"state": "viewing"}),
    "GetPresence": Call(),
    "ListNotices": Call(),
    "UpdateNotice": Call({"kind": "resolved", "text": "It is done."}),
    "PreviewNotice": Call({"kind": "resolved"}),
    "ListIncidents": Call(),
    "ReplyToIncident": Call({"body": "We are on it."}),
    "ResolveIncident": Call({"resolution": "It works again."}),
    "ListWebhooks": Call(),
    "GetWebhook": Call(),
    "SubscribeToEvents": Call(WEBHOOK, 201),
    "UpdateWebhook": Call({"name": "New"}),
    "DeleteWebhook": Call(),
    "ListDeliveries": Call(),
    "TestWebhook": Call({}),
    "ReplayDelivery": Call({}),
    "ListEvents": Call(),
    "GetEventSample": Call(),
    "ImportArticles": Call([{"title": "Refunds", "body": "Five days."}]),
}
