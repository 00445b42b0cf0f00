"""connector/README.md: how to bring the connector into Power Platform, with the actions it has at the moment."""

from collections.abc import Iterable, Iterator
from typing import Any

TEXT = """\
# The Foyer connector for Power Apps and Power Automate

Made by `flask connector` from the routes of the server; do not edit these files by hand. `flask connector --check` says
which of them is behind.

| file | what it is |
|---|---|
| `apiDefinition.swagger.json` | the actions and triggers (Swagger 2.0); the same as `/swagger.json` of a server, but for the host |
| `apiProperties.json` | the API key a connection asks for, the colour, and how triggers remember what they have seen |
| `settings.template.json` | for `paconn`: copy it to `settings.json` and fill in your environment; git ignores the copy |
| `icon.png` | 230 x 230, on the colour that `apiProperties.json` names |
| `surface.lock.json` | what apps and flows rely on; a change that would break them is refused |

## What an admin must set
1. **The host.** The files here name `{host}`. Make them for your own server, into a folder of your own:
   `flask connector --host my-desk.onrender.com --folder my-connector`. It is the bare host, without `https://` and path.
2. **The address must be public and speak TLS.** Power Platform calls from Microsoft's network, never from the browser.
3. **A key.** Every connection asks for one. Its role decides what the connection may do: an `agent` key for an agents' app,
   an `admin` key for administration. A key with the scope `act_for_customers` may name the customer in `On Behalf Of`.
4. **Licences.** Any app or flow with a custom connector needs a premium licence of Power Apps or Power Automate.
5. **The data policy** of the environment must allow custom connectors for the host.

## Import in the portal
1. [make.powerautomate.com](https://make.powerautomate.com) or [make.powerapps.com](https://make.powerapps.com) ▸ your
   environment ▸ **Custom connectors** ▸ **New custom connector** ▸ **Import an OpenAPI file**.
2. Name it `Foyer` (formulas begin with this name) and choose `apiDefinition.swagger.json` in the folder you just made
   (`my-connector`): the checked-in one names `{checked_in}`. *Import an OpenAPI from URL* with
   `https://<your server>/swagger.json` does the same.
3. **General**: upload `icon.png`, set the icon background color to `{colour}`. *Host* must be your server's; type it if it is not.
4. **Security**: *API Key*; label `API key`, name `X-API-Key`, location *Header*. The import has filled this in.
5. **Definition** ▸ each trigger (the portal's import does not read `apiProperties.json`, so this is by hand here; `paconn`
   does it by itself): *Trigger configuration*:

   | trigger | query parameter | value | collection |
   |---|---|---|---|
{triggers}
6. **Create connector**, then **Test** ▸ **New connection**, paste the key, and run **GetHealth** and **ListTickets**.

## Import with paconn
```bash
pip install paconn
cd my-connector                            # paconn looks for the files beside settings.json
cp settings.template.json settings.json    # environment: the GUID in the portal's address bar
paconn login
paconn create -s settings.json             # prints the connector's id: keep it as connectorId in settings.json
paconn update -s settings.json             # after the server has been updated
```
Always name `apiProperties` (settings.json does): without it, colour, key and triggers are reset. `apiProperties.json` holds no
`stackOwner`, with which an update would be refused.

## Good to know
- A list's rows are in `data`; `total`, `limit` and `offset` stand beside it: `Foyer.ListTickets({{limit: 100}}).data`.
- In formulas, required values come first and in order, all others in one record at the end:
  `Foyer.CreateTicket("Login fails", "Since this morning …", {{customer_email: User().Email}})`.
- An error has a sentence for people: `Text(ParseJSON(FirstError.Details.HttpResponse).message)` within `IfError`.
- A trigger asks for what is later than the newest row it has seen and starts a flow for each row. The first poll has no such
  time and only sets it; on an empty server the first poll that finds a row does. When more rows are waiting than `Limit` (200 at
  most), a poll brings the oldest of them and the next poll goes on from there, so none is lost. Rows with the same time are
  never parted: all of them come, even when that is more than `Limit`.
- *When something happens* is a webhook: the server calls the flow within a second or two. The platform subscribes when the flow
  is switched on and ends it when the flow is switched off or deleted. Choose the events; the key of the connection needs the
  role `admin`, or is one with the scope `webhooks.write`. The other triggers poll, and work with any key.
- An imported ticket with an old `created_at` does not start *When a ticket is opened*. It does start *When a ticket changes*:
  its `updated_at` is the time of the import.
- The platform sends a failed call again; `Client Reference` (or the header `Idempotency-Key`) makes sure it is done once.

## Triggers
{trigger_list}

## Actions
{action_list}
"""


def readme(document: dict[str, Any], properties: dict[str, Any], *, checked_in: str) -> str:
    """The page for this document and its apiProperties; `checked_in` is the host that the repository's own files name."""
    settings = properties["properties"]
    operations = [operation for operation in _operations(document) if operation.get("x-ms-visibility") != "internal"]
    return TEXT.format(
        host=document["host"],
        checked_in=checked_in,
        colour=settings["iconBrandColor"],
        triggers="\n".join(_trigger_row(policy["parameters"]) for policy in settings["policyTemplateInstances"]),
        trigger_list=_table(operation for operation in operations if "x-ms-trigger" in operation),
        action_list=_table(operation for operation in operations if "x-ms-trigger" not in operation),
    )


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from (operation for operation in item.values() if "operationId" in operation)


def _trigger_row(parameters: dict[str, Any]) -> str:
    """One trigger as the portal asks for it."""
    [(query, value)] = parameters["x-ms-apimTemplateParameter.triggerConfig"].items()
    names = ", ".join(parameters["x-ms-apimTemplate-operationName"])
    rows = parameters["x-ms-apimTemplateParameter.triggerDataPath"]
    return f"   | {names} | `{query}` | `{value}` | `{rows}` |"


def _table(operations: Iterable[dict[str, Any]]) -> str:
    lines = [f"| `{o['operationId']}` | {o['summary']} | {o['description']} |" for o in operations]
    return "\n".join(["| name | what it does | more |", "|---|---|---|", *lines])
