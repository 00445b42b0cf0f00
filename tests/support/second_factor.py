"""A person with a second factor, and the codes of their app by the test's clock."""

from dataclasses import dataclass
from typing import Any

import pyotp

from tests.support.accounts import bearing
from tests.support.caller import Caller


@dataclass
class App:
    """An authenticator app with one secret."""

    secret: str
    clock: Any

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many steps later."""
        return pyotp.TOTP(self.secret).at(self.clock(), counter_offset=steps)

    def next_code(self) -> str:
        """The first code that was not used yet."""
        self.clock.moved.append(30)
        return self.code()

    def wrong_code(self) -> str:
        """Six digits that are no code of these minutes."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(digits for digits in (f"{number:06}" for number in range(10)) if digits not in near)


def set_up(caller: Caller, clock: Any) -> tuple[App, list[str]]:
    """Switches the second factor of a signed-in caller on: the app, and the recovery codes."""
    app = App(caller.data(caller.post("/api/auth/totp"))["secret"], clock)
    codes = caller.data(caller.post("/api/auth/totp/confirm", {"code": app.code()}))["recovery_codes"]
    return app, codes


def challenge(answer: Any) -> str:
    """The challenge of an answer that asks for the second factor."""
    assert (answer.status_code, answer.json["data"]["code"]) == (401, "second_factor_required"), answer.json
    return str(answer.json["data"]["challenge"])


def verify(caller: Caller, token: str, code: str, **more: Any) -> Any:
    return caller.post("/api/auth/totp/verify", {"challenge": token, "code": code}, **more)


def signed_in_by(caller: Caller, data: Any) -> Caller:
    """The caller with the tokens of a sign-in."""
    return bearing(caller, data["access_token"])
