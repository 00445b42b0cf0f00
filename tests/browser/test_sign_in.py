"""Signing in at a page with address and password."""


def test_a_person_signs_in_where_they_came_to_and_stays_after_a_reload(tab):
    agent = tab.desk.person("agent")
    page = tab.open("/desk")
    page.get_by_label("E-mail").fill(agent.email)
    page.get_by_label("Password").fill("not the password")
    with tab.expecting(401):
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").wait_for()
    page.get_by_label("Password").fill(agent.password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=agent.email).wait_for()
    page.reload()
    page.get_by_role("button", name=agent.email).wait_for()
    assert page.url == f"{tab.desk.url}/desk"
