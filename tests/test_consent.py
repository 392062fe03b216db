"""The rules are asked for once, before the first use."""

from visiting import SCREENSHOTS, WAIT

from stylemask_demo.ui import texts


def test_who_comes_first_is_asked_once(browser, address):
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    tab, problems = context.new_page(), []
    tab.on("console", lambda line: line.type == "error" and problems.append(line.text))
    tab.goto(address)
    asked = tab.locator("#consent")
    asked.wait_for(timeout=WAIT)
    assert texts.CONSENT["text"] in asked.inner_text() and asked.evaluate("dialog => dialog.matches(':modal')")
    for _ in range(2):
        tab.keyboard.press("Escape")
    tab.wait_for_function("document.querySelector('#consent')?.open", timeout=WAIT)  # again: it was not answered
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=SCREENSHOTS / "consent.png")
    asked.get_by_role("button", name=texts.CONSENT["button"]).click()
    asked.wait_for(state="detached", timeout=WAIT)
    assert not problems
    tab.reload()
    tab.locator("#source img").wait_for(timeout=WAIT)
    assert asked.count() == 0
    context.close()
