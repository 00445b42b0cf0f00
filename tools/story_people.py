"""The story of who may do what: a company, a person who signs in, and a key for an app."""

from tools.story import Chapter, Step, equals, filled, includes, is_true, same

GRACE = "grace.{{runId}}@example.com"
FIRST_PASSWORD, SECOND_PASSWORD = "lamp river cloud {{runId}}", "stone paper wind {{runId}}"
APP = "App {{runId}}"

PEOPLE = Chapter(
    "People and keys",
    "A company registers, a person signs in, an app gets a key. What cannot be taken back is the company.",
    [
        Step(
            operation="RegisterCompany",
            name="Register a company",
            about="A desk that is closed to strangers takes new companies from the key of whoever runs it alone.",
            status=201,
            also=(403,),
            credential="apiKey",
            body={
                "company": "Company {{runId}}",
                "name": "Kay McNulty",
                "email": "kay.{{runId}}@example.com",
                "password": FIRST_PASSWORD,
            },
            checks={
                "makes its first admin": equals("user.role", '"admin"'),
                "signs them in": filled("access_token"),
            },
        ),
        Step(
            operation="ConfirmAddress",
            name="Confirm the address of a first admin",
            about="The token comes by mail; this one is none. Companies that the operator registers are confirmed already.",
            status=400,
            code="invalid_fields",
            body={"token": "not-the-one-of-the-mail"},
        ),
        Step(
            operation="AllowCompany",
            name="Say what a company may",
            about="For the operator alone, with a key of the company default.",
            also=(403, 404),
            body={"company": "Company {{runId}}", "confirmed": True, "oidc_allowed": False},
            checks={"is confirmed": is_true("confirmed")},
        ),
        Step(
            operation="GetMe",
            name="Who am I",
            checks={
                "is an admin": equals("role", '"admin"'),
                "may make people": includes("answer.permissions", '"users.write"'),
            },
        ),
        Step(
            operation="CreateUser",
            name="Add a person",
            status=201,
            body={"name": "Grace Hopper", "email": GRACE, "role": "agent", "password": FIRST_PASSWORD},
            saves={"userId": "id"},
            checks={
                "is an agent": equals("role", '"agent"'),
                "tells no password": 'expect(JSON.stringify(answer)).not.to.include("password")',
            },
        ),
        Step(
            operation="CreateUser",
            name="Add the same person again",
            about="An address is one person's within a company.",
            status=409,
            code="email_taken",
            body={"name": "Grace Hopper", "email": GRACE, "role": "agent"},
        ),
        Step(
            operation="ListUsers",
            name="List the people",
            query={"limit": "200"},
            checks={"holds the new one": includes("answer.map((user) => user.id)", 'pm.variables.get("userId")')},
        ),
        Step(
            operation="UpdateUser",
            name="Change a person",
            body={"team": "finance", "available": False},
            checks={
                "changes what is given": equals("team", '"finance"'),
                "leaves what is not": equals("name", '"Grace Hopper"'),
            },
        ),
        Step(
            operation="SignIn",
            name="Sign in with a wrong password",
            about="An address that is not known gets the same answer.",
            status=401,
            code="wrong_credentials",
            body={"email": GRACE, "password": SECOND_PASSWORD},
        ),
        Step(
            operation="SignIn",
            name="Sign in",
            body={"email": GRACE, "password": FIRST_PASSWORD},
            saves={"accessToken": "access_token", "refreshToken": "refresh_token"},
            checks={
                "is the person": same("user.id", "userId"),
                "lasts 15 minutes": equals("expires_in_seconds", "900"),
            },
        ),
        Step(
            operation="GetMe",
            name="Who is signed in",
            credential="accessToken",
            checks={
                "is an agent": equals("role", '"agent"'),
                "may not make people": 'expect(answer.permissions).not.to.include("users.write")',
            },
        ),
        Step(
            operation="ListKeys",
            name="List the keys as an agent",
            about="Keys are for admins.",
            status=403,
            code="forbidden",
            credential="accessToken",
        ),
        Step(
            operation="ChangePassword",
            name="Change the password",
            credential="accessToken",
            body={"old": FIRST_PASSWORD, "new": SECOND_PASSWORD},
            checks={"is changed": is_true("changed")},
        ),
        Step(
            operation="StaySignedIn",
            name="Stay signed in",
            body={"refresh_token": "{{refreshToken}}"},
            saves={"accessToken": "access_token", "refreshToken": "refresh_token"},
            checks={
                "is the same person": same("user.id", "userId"),
                "gives another refresh token": 'expect(answer.refresh_token).not.to.equal(pm.variables.get("refreshToken"))',
            },
        ),
        Step(
            operation="SignOut",
            name="Sign out",
            body={"refresh_token": "{{refreshToken}}"},
            checks={"is signed out": is_true("signed_out")},
        ),
        Step(
            operation="GetMe",
            name="Who is signed out",
            about="The access token ended with its session.",
            status=401,
            code="unauthorized",
            credential="accessToken",
        ),
        Step(
            operation="DeleteUser",
            name="Delete the person",
            checks={"is deleted": is_true("deleted")},
        ),
        Step(
            operation="CreateKey",
            name="Make a key",
            about="For an app that serves every customer: with X-On-Behalf-Of it acts for each of them.",
            status=201,
            body={"name": APP, "role": "agent", "scopes": ["act_for_customers"]},
            saves={"keyId": "id", "appKey": "key"},
            checks={
                "shows the key": filled("key"),
                "names its beginning": "expect(answer.key.startsWith(answer.prefix)).to.equal(true)",
            },
        ),
        Step(
            operation="GetMe",
            name="Who is the app",
            credential="appKey",
            checks={
                "is an agent": equals("role", '"agent"'),
                "bears its name": equals("name", '`App ${pm.variables.get("runId")}`'),
            },
        ),
        Step(
            operation="ListKeys",
            name="List the keys",
            query={"limit": "200"},
            checks={
                "holds the new one": includes("answer.map((key) => key.id)", 'pm.variables.get("keyId")'),
                "shows no key": 'expect(answer.some((key) => "key" in key)).to.equal(false)',
            },
        ),
        Step(
            operation="RotateKey",
            name="Rotate the key",
            about="Put the new key into the app within a day.",
            status=201,
            body={},
            saves={"rotatedId": "id", "rotatedKey": "key"},
            checks={
                "is another key": 'expect(answer.id).not.to.equal(pm.variables.get("keyId"))',
                "may do the same": equals("role", '"agent"'),
            },
        ),
        Step(
            operation="ListTickets",
            name="Call with the new key",
            credential="rotatedKey",
            query={"limit": "1"},
            checks={"is let in": 'expect(answer).to.be.an("array")'},
        ),
        Step(operation="RevokeKey", name="Revoke the old key", checks={"is revoked": is_true("deleted")}),
        Step(
            operation="RevokeKey",
            name="Revoke the new key",
            path={"key_id": "{{rotatedId}}"},
            checks={"is revoked": is_true("deleted")},
        ),
        Step(
            operation="ListTickets",
            name="Call with the revoked key",
            status=401,
            code="unauthorized",
            credential="rotatedKey",
        ),
    ],
)
