"""What a block may hold, and how words are put in."""

import pytest

from loyalty.newsletters.blocks import checked_blocks, filled, paragraphs, what_is_missing
from loyalty.newsletters.forms import arranged, typed_blocks
from portal.foundation.errors import Refused


def test_a_block_keeps_only_the_fields_of_its_kind():
    given = [{"kind": "heading", "text": "Hi", "url": "javascript:1", "file_id": 3, "more": 1}]
    assert checked_blocks(given) == [{"kind": "heading", "text": "Hi"}]
    assert checked_blocks([{"kind": "picture", "alt": ""}]) == [{"kind": "picture"}]


@pytest.mark.parametrize(
    "block",
    [
        {"kind": "script", "text": "x"},
        {"kind": ""},
        {},
        {"kind": "heading", "text": "x" * 201},
        {"kind": "text", "text": "x" * 10_001},
        {"kind": "text", "text": "a\x00b"},
        {"kind": "button", "text": "Go", "url": "https://" + "x" * 500},
        {"kind": "picture", "file_id": 1, "alt": "x" * 301},
    ],
)
def test_what_no_block_may_hold_is_refused(block):
    with pytest.raises(Refused) as refusal:
        checked_blocks([block])
    assert refusal.value.field == "blocks"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//vendor.example",
        "/club",
        "vendor.example",
        "https://",
        "https:///path",
        "http://[",
        "http://host:port",
        "https://vendor.example/a b",
        "https://vendor.example\\@evil.example",
        'https://vendor.example/"><script>',
        " https://vendor.example",
        "JAVASCRIPT:alert(1)",
    ],
)
def test_a_button_leads_to_a_web_address_alone(url):
    with pytest.raises(Refused, match="Block 1: write an address"):
        checked_blocks([{"kind": "button", "text": "Go", "url": url}])


def test_forty_blocks_and_no_more():
    forty = [{"kind": "heading", "text": "x"}] * 40
    assert len(checked_blocks(forty)) == 40
    with pytest.raises(Refused, match="at most 40"):
        checked_blocks([*forty, {"kind": "heading"}])


def test_what_is_missing_is_named_block_by_block():
    assert what_is_missing([]) == ["It has no blocks."]
    blocks = [{"kind": "heading"}, {"kind": "balance"}, {"kind": "button", "text": "Go"}]
    assert what_is_missing(blocks) == ["Block 1 is not filled in.", "Block 3 is not filled in."]


def test_what_is_put_in_is_not_looked_at_again():
    words = {"name": "{points}", "points": "120"}
    assert filled("{name} has {points} and {other} {0} {", words) == (
        "{points} has 120 and {other} {0} {"
    )


def test_an_empty_line_parts_paragraphs():
    assert paragraphs("One\r\n\r\nTwo\nmore\n\n\n") == ["One", "Two\nmore"]


@pytest.mark.parametrize("count", [None, "", "²", "-1", "1e9", "9" * 5_000, "٣"])
def test_a_count_that_no_page_of_ours_sends_is_none(count):
    sent = {"block-0-kind": "heading"}
    assert len(typed_blocks(sent, count)) in (0, 1)


def test_typed_blocks_leave_out_unknown_kinds_and_keep_their_numbers():
    sent = {
        "block-0-kind": "bogus",
        "block-1-kind": "picture",
        "block-1-file_id": "²",
        "block-2-kind": "text",
        "block-2-text": " Hi ",
    }
    first, second = typed_blocks(sent, "3")
    assert (first["kind"], first["number"], first["file_id"]) == ("picture", 1, None)
    assert (second["text"], second["number"]) == ("Hi", 2)


def test_buttons_arrange_blocks():
    one, two, three = ({"kind": "text", "text": str(n)} for n in range(3))
    blocks = [one, two, three]
    assert arranged(blocks, "up-2") == [one, three, two]
    assert arranged(blocks, "up-0") == blocks
    assert arranged(blocks, "down-0") == [two, one, three]
    assert arranged(blocks, "down-2") == blocks
    assert arranged(blocks, "remove-1") == [one, three]
    assert arranged(blocks, "add-button") == [*blocks, {"kind": "button"}]
    for action in ("add-bogus", "remove-9", "remove-²", "up-", "save", "", "down--1"):
        assert arranged(blocks, action) == blocks
