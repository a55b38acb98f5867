"""What people do all day, in a real browser, on the demo."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.chromium import Visitor, Windows

BENCH = {"width": 820, "height": 1180}
# Of the demo's devices: sold, and never in for a repair.
SERIAL = "HX39-2255-04625"


@pytest.fixture(autouse=True)
def _patient() -> None:
    expect.set_options(timeout=15_000)


def as_person(windows: Windows, address: str, *, narrow: bool = False) -> Visitor:
    visitor = windows.open(narrow=narrow)
    visitor.sign_in(address)
    return visitor


def confirm(page: Page) -> None:
    page.locator("#confirm [data-confirm-yes]").click()


def test_a_deal_is_registered_mended_and_approved(windows: Windows):
    seller = as_person(windows, "sales@north.example")
    seller.goto("/deals/new")
    page = seller.page
    page.get_by_label("Legal name").fill("Ålesund Fiskelab AS")
    page.get_by_role("button", name="Submit for review").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_visible()
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    expect(page.get_by_label("Legal name")).to_have_value("Ålesund Fiskelab AS")
    assert page.locator(".field .error").count() >= 2
    summary.get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.matches('[aria-invalid=true], fieldset, div')")
    page.select_option("[name=customer_country]", "NO")
    page.fill("[name=lines-0-sku]", "PT-40")
    page.fill("[name=lines-0-quantity]", "3")
    page.fill("[name=lines-0-amount]", "1920.00")
    page.fill("[name=expected_close_on]", "2099-03-31")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.locator(".page-ref .badge")).to_have_text("Submitted")
    reference = page.locator(".page-ref span").first.inner_text()
    address = page.url

    manager = as_person(windows, "channel@vendor.example")
    manager.goto("/desk/queue")
    manager.page.locator(".queue-item", has_text="Ålesund Fiskelab AS").click()
    expect(manager.page.locator(".page-ref span").first).to_have_text(reference)
    manager.page.get_by_role("button", name="Approve").click()
    confirm(manager.page)
    expect(manager.page.locator(".queue-item", has_text="Ålesund Fiskelab AS")).to_have_count(0)

    page.goto(address)
    expect(page.locator(".page-ref .badge")).to_have_text("Approved")
    expect(page.locator("main")).to_contain_text("protected until")
    assert seller.overflow() == manager.overflow() == 0
    # The browser itself notes the answer 422 of the form with errors.
    assert [one for one in seller.complaints if "422" not in one] == []
    assert manager.complaints == []


def test_a_device_goes_over_the_bench(windows: Windows):
    bench = as_person(windows, "bench@fixit.example")
    page = bench.page
    page.set_viewport_size(BENCH)  # type: ignore[arg-type]
    bench.goto("/bench")
    page.locator("main #serial").fill(SERIAL)
    page.get_by_role("button", name="Take in").click()
    expect(page.locator("#device .card")).to_contain_text("HX-300")
    page.get_by_label("Serial number").fill(SERIAL[:-1])
    expect(page.locator("#device")).to_contain_text("not registered")
    page.get_by_label("Serial number").fill(SERIAL.lower())
    expect(page.locator("#device .card")).to_contain_text("HX-300")
    page.fill("[name=problem]", "Lamp does not strike.")
    page.get_by_role("button", name="Take in").click()
    expect(page.locator(".page-ref .badge")).to_have_text("Received")
    page.get_by_role("button", name="Start the repair").click()
    expect(page.locator(".page-ref .badge")).to_have_text("Repairing")
    page.get_by_role("link", name="Repair done").click()
    page.fill("[name=repair_code]", "LAMP")
    page.fill("[name=repair_note]", "Lamp driver replaced.")
    page.get_by_role("button", name="Repair done").click()
    expect(page.locator(".page-ref .badge")).to_have_text("Ready")
    page.get_by_role("button", name="Hand over").click()
    expect(page.locator(".page-ref .badge")).to_have_text("Closed")
    assert bench.overflow() == 0
    assert bench.complaints == []


def test_a_member_reads_why_on_a_phone(windows: Windows):
    member = as_person(windows, "lin@club.example", narrow=True)
    page = member.page
    expect(page.locator(".display")).to_be_visible()
    assert page.locator(".member-card").bounding_box()["y"] < 844
    why = page.locator("summary", has_text="Why did I get this").first
    why.click()
    expect(page.locator("details[open] small").nth(1)).to_contain_text("for every")
    page.locator("nav a", has_text="Activity").click()
    expect(page).to_have_url(re.compile("/club/activity"))
    assert page.locator("summary", has_text="Why did I get this").count() > 1
    assert member.overflow() == 0
    assert member.complaints == []


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "teal").save(out, "PNG")
    return out.getvalue()


def test_a_newsletter_is_put_together_by_clicking(windows: Windows):
    desk = as_person(windows, "marketing@vendor.example")
    page = desk.page
    expect(page).to_have_url(re.compile("/newsletters$"))
    page.get_by_role("link", name="Make a newsletter").click()
    page.get_by_label("Subject").fill("Spring checks")
    page.get_by_role("button", name="Begin").click()
    blocks = page.locator(".block-editor")
    for count, kind in enumerate(("Heading", "Text", "Picture", "Button", "Points balance"), 1):
        page.locator("#blocks > .row").get_by_role("button", name=kind).click()
        expect(blocks).to_have_count(count)
    blocks.nth(0).get_by_role("textbox").fill("Spring is near")
    blocks.nth(1).get_by_role("textbox").fill("Dear {name},\n\nyou have {points} points.")
    file = {"name": "probe.png", "mimeType": "image/png", "buffer": picture()}
    blocks.nth(2).locator("[type=file]").set_input_files(files=file)  # type: ignore[arg-type]
    blocks.nth(2).get_by_label("What it shows").fill("A probe")
    blocks.nth(3).get_by_label("Words on the button").fill("See your points")
    blocks.nth(3).get_by_label("Leads to").fill("https://vendor.example/club")
    blocks.nth(4).get_by_role("button", name="Up").click()
    expect(blocks.nth(3)).to_contain_text("Points balance")
    expect(blocks.nth(2).locator("img")).to_be_visible()
    assert desk.axe() == []
    page.get_by_role("button", name="Save", exact=True).last.click()
    letter = page.locator(".letter")
    expect(letter.locator("h2")).to_have_text("Spring is near")
    expect(letter.locator("img")).to_have_js_property("naturalWidth", 320)
    expect(letter).to_contain_text("Dear Marta Sample")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    address = page.url

    second = as_person(windows, "admin@vendor.example")
    second.page.goto(address)
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.locator(".page-ref .badge")).to_have_text("Approved")
    page.reload()
    page.get_by_role("button", name="Send").click()
    confirm(page)
    expect(page.locator(".page-ref .badge")).to_have_text(re.compile("Being sent|Sent"))
    page.set_viewport_size({"width": 390, "height": 844})
    assert desk.overflow() == 0
    assert desk.complaints + second.complaints == []


def test_keys_go_where_they_say(windows: Windows):
    visitor = as_person(windows, "channel@vendor.example")
    page = visitor.page
    expect(page).to_have_url(re.compile("/desk/queue"))
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/deals$"))
    page.keyboard.press("/")
    search = page.locator("[data-search]:visible")
    expect(search).to_be_focused()
    page.keyboard.type("g d ?")
    expect(search).to_have_value("g d ?")
    page.locator("h1").click()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("Search")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    assert visitor.complaints == []
