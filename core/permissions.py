"""Which permissions each role and API key has; `allows` decides."""

from enum import StrEnum

from core.models import READ_ONLY_SCOPE, Actor, Role


class Permission(StrEnum):
    """What a route requires. PUBLIC needs no credentials, ANY needs credentials of any kind."""

    PUBLIC = "public"
    ANY = "any"
    TICKETS_READ = "tickets.read"
    TICKETS_CREATE = "tickets.create"
    TICKETS_WORK = "tickets.work"
    TICKETS_RATE = "tickets.rate"
    TICKETS_DELETE = "tickets.delete"
    REPLIES_WRITE = "replies.write"
    HISTORY_READ = "history.read"
    STATS_READ = "stats.read"
    CUSTOMERS_READ = "customers.read"
    LOOKUPS_READ = "lookups.read"
    KNOWLEDGE_READ = "knowledge.read"
    KNOWLEDGE_WRITE = "knowledge.write"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    CUSTOMERS_EXPORT = "customers.export"
    CUSTOMERS_ERASE = "customers.erase"
    IMPORT = "import"
    EXPORT = "export"
    USERS_READ = "users.read"
    USERS_WRITE = "users.write"
    KEYS_READ = "keys.read"
    KEYS_WRITE = "keys.write"
    AUDIT_READ = "audit.read"
    JOBS_READ = "jobs.read"
    JOBS_WRITE = "jobs.write"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_WRITE = "webhooks.write"
    ACCOUNT = "account"


ACT_FOR_CUSTOMERS = "act_for_customers"
_NO_PERMISSIONS = frozenset({ACT_FOR_CUSTOMERS, READ_ONLY_SCOPE})  # scopes that name no permission

_CUSTOMER = frozenset(
    {
        Permission.TICKETS_READ,
        Permission.TICKETS_CREATE,
        Permission.TICKETS_RATE,
        Permission.REPLIES_WRITE,
        Permission.LOOKUPS_READ,
        Permission.KNOWLEDGE_READ,
        Permission.ACCOUNT,
    }
)
# Staff never have these, so that nobody rates their own work.
CUSTOMERS_ALONE = frozenset({Permission.TICKETS_RATE})
_AGENT = (_CUSTOMER - CUSTOMERS_ALONE) | {
    Permission.TICKETS_WORK,
    Permission.HISTORY_READ,
    Permission.STATS_READ,
    Permission.CUSTOMERS_READ,
    Permission.KNOWLEDGE_WRITE,
    Permission.SETTINGS_READ,
}
_ADMIN = frozenset(Permission) - {Permission.PUBLIC, Permission.ANY} - CUSTOMERS_ALONE

GRANTED: dict[str, frozenset[Permission]] = {"customer": _CUSTOMER, "agent": _AGENT, "admin": _ADMIN}


SCOPES: tuple[str, ...] = (ACT_FOR_CUSTOMERS, READ_ONLY_SCOPE, *sorted(_ADMIN | _CUSTOMER))


def allows(actor: Actor, permission: Permission) -> bool:
    """Whether the actor has the permission. Scopes only restrict a key, they never extend its role."""
    if permission is Permission.ANY:
        return True
    scopes = set(actor.scopes) - _NO_PERMISSIONS if actor.scopes else ()
    return permission in GRANTED[actor.role] and (not scopes or permission in scopes)


def may_act(actor: Actor, permission: Permission) -> bool:
    """Whether a key that acts for customers may do for them what only customers may. `allows` then asks as the customer."""
    scopes = set(actor.scopes) - _NO_PERMISSIONS
    acts = ACT_FOR_CUSTOMERS in actor.scopes and permission in CUSTOMERS_ALONE
    return acts and (not scopes or permission in scopes)


def granted(actor: Actor) -> frozenset[Permission]:
    """All permissions of the actor."""
    return frozenset(permission for permission in GRANTED[actor.role] if allows(actor, permission))


def can_grant(actor: Actor, role: Role, scopes: tuple[str, ...] = ()) -> bool:
    """Whether the actor may create a key or user with this role and scopes: nobody grants more than they have."""
    narrowed = any(scope not in _NO_PERMISSIONS for scope in actor.scopes)
    acts_too = ACT_FOR_CUSTOMERS not in scopes or ACT_FOR_CUSTOMERS in actor.scopes or not narrowed
    return acts_too and granted(Actor(actor.company_id, role, "", scopes=scopes)) - CUSTOMERS_ALONE <= granted(actor)
