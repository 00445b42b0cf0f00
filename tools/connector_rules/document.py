"""Rules of the document as a whole: who it is, where it is, and words the platform does not know."""

import re
from urllib.parse import urlsplit

from tools.connector_rules.base import Connector, Json, Said, rule
from tools.connector_rules.walk import objects

LARGEST = 1_000_000
LONGEST_TITLE, SHORTEST_ABOUT, LONGEST_ABOUT = 30, 30, 500
RESTRICTED = re.compile(
    r"\b(api|connector|power ?apps?|power ?automate|power ?bi|power ?pages|power ?platform|copilot( studio)?|logic apps?)\b",
    re.IGNORECASE,
)
CATEGORIES = set(
    "AI;Business Intelligence;Business Management;Collaboration;Commerce;Communication;Content and Files;Data;Finance;"
    "Human Resources;Internet of Things;IT Operations;Lifestyle and Entertainment;Marketing;Productivity;"
    "Sales and CRM;Security;Social Media;Website".split(";")
)
BARE_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d+)?")
METADATA = ("Website", "Privacy policy", "Categories")
EXTENSIONS = {
    f"x-ms-{name}"
    for name in (
        "api-annotation capabilities connector-metadata docs dynamic-list dynamic-properties dynamic-schema dynamic-tree "
        "dynamic-values enum enum-values localizeDefaultValue media-kind no-generic-test notification notification-content "
        "notification-url operation-context pageable parameter-location safe-operation summary test-value trigger "
        "trigger-hint trigger-metadata trigger-value url-encoding visibility"
    ).split()
}


def _info(connector: Connector) -> Json:
    found = connector.definition.get("info")
    return found if isinstance(found, dict) else {}


@rule
def file_not_readable(connector: Connector) -> Said:
    """Every file is there and is JSON."""
    return [(name, sentence) for name, sentence in connector.unreadable.items()]


@rule
def swagger_version_not_supported(connector: Connector) -> Said:
    """Only Swagger 2.0 can be imported."""
    return [] if connector.definition.get("swagger") == "2.0" else [("swagger", "only Swagger 2.0 can be imported.")]


@rule
def file_too_large(connector: Connector) -> Said:
    """The platform takes less than 1 MB."""
    return [("file", "keep it below 1 MB.")] if connector.size >= LARGEST else []


@rule
def title_not_valid(connector: Connector) -> Said:
    """The title is short and ends with a letter or digit."""
    title = str(_info(connector).get("title", ""))
    fine = 0 < len(title) <= LONGEST_TITLE and title[-1].isalnum()
    return [] if fine else [("info/title", "1 to 30 characters, ending with a letter or digit.")]


@rule
def value_contains_restricted_words(connector: Connector) -> Said:
    """The title names neither the kind of thing nor the platform's products."""
    found = RESTRICTED.search(str(_info(connector).get("title", "")))
    return [("info/title", f"leave out {found.group()}.")] if found else []


@rule
def field_length_not_in_range(connector: Connector) -> Said:
    """The description says something, and not everything."""
    length = len(str(_info(connector).get("description", "")))
    fine = SHORTEST_ABOUT <= length <= LONGEST_ABOUT
    return [] if fine else [("info/description", "30 to 500 characters.")]


@rule
def contact_required(connector: Connector) -> Said:
    """People can ask somebody."""
    contact = _info(connector).get("contact", {})
    return [(f"info/contact/{name}", "is missing.") for name in ("name", "url", "email") if not contact.get(name)]


@rule
def contact_email_not_valid(connector: Connector) -> Said:
    """The address can be written to."""
    email = _info(connector).get("contact", {}).get("email", "")
    fine = not email or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email)
    return [] if fine else [("info/contact/email", "is no e-mail address.")]


@rule
def url_not_valid(connector: Connector) -> Said:
    """Addresses are complete."""
    urls = [("info/contact/url", _info(connector).get("contact", {}).get("url", ""))]
    urls += [(name, value) for name, value in _metadata(connector).items() if name in METADATA[:2]]
    return [(where, "is no address beginning with https://.") for where, url in urls if url and not _is_url(url)]


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and "." in parts.netloc


@rule
def host_name_not_valid(connector: Connector) -> Said:
    """The host stands bare."""
    host = str(connector.definition.get("host", ""))
    return [] if BARE_HOST.fullmatch(host) else [("host", "a bare host name, without https:// and path.")]


@rule
def base_path_not_valid(connector: Connector) -> Said:
    """The base path begins with a slash."""
    fine = re.fullmatch(r"/[^?#]*", str(connector.definition.get("basePath", "/")))
    return [] if fine else [("basePath", "begins with /.")]


@rule
def scheme_not_supported(connector: Connector) -> Said:
    """Only https is spoken."""
    schemes = connector.definition.get("schemes")
    return [] if schemes == ["https"] else [("schemes", 'must be ["https"].')]


def _metadata(connector: Connector) -> dict[str, str]:
    found = connector.definition.get("x-ms-connector-metadata", [])
    entries = [entry for entry in found if isinstance(entry, dict)]
    return {str(entry.get("propertyName")): str(entry.get("propertyValue", "")) for entry in entries}


def _categories(connector: Connector) -> list[str]:
    said = _metadata(connector).get("Categories", "")
    return [category.strip() for category in said.split(";") if category.strip()]


@rule
def connector_metadata_properties_missing(connector: Connector) -> Said:
    """Website, privacy policy and categories are named."""
    return [
        ("x-ms-connector-metadata", f"{name} is missing.")
        for name in METADATA
        if not _metadata(connector).get(name, "").strip()
    ]


@rule
def too_many_connector_categories(connector: Connector) -> Said:
    """At most two categories."""
    return [("x-ms-connector-metadata", "at most two categories.")] if len(_categories(connector)) > 2 else []


@rule
def invalid_connector_category(connector: Connector) -> Said:
    """Categories are from a closed list."""
    return [
        ("x-ms-connector-metadata", f"there is no category {category}.")
        for category in _categories(connector)
        if category not in CATEGORIES
    ]


@rule
def unknown_extension(connector: Connector) -> Said:
    """A typo in an x-ms- word is silently ignored by the platform."""
    return [
        (str(found.get("operationId") or found.get("name") or name), f"the platform does not know {name}.")
        for found in objects(connector.definition)
        for name in found
        if name.startswith("x-ms-") and name not in EXTENSIONS
    ]
