"""The base map's address: what the page cannot fill in stops the start, with what to write instead."""

from __future__ import annotations

import pytest

from settings import SettingError, read_settings


@pytest.mark.parametrize(
    "url",
    [
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "https://{a-c}.tile.example.org/{z}/{x}/{y}.png?key=1",
        "http://127.0.0.1:8080/{0-3}/{z}/{x}/{-y}@2x.png",
    ],
)
def test_an_address_that_the_map_can_fill_in_is_taken(url: str) -> None:
    assert read_settings({"MAP_TILES_URL": url}).map.tiles_url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://{s}.tile.example.org/{z}/{x}/{y}.png", r"has \{s\}.*\{a-c\}"),
        ("https://tile.example.org/{z}/{x}/{y}{r}.png", r"has \{r\}.*@2x"),
        ("https://tile.example.org/{z}/{x}/{y}.png?k={apikey}", r"has \{apikey\}"),
        ("https://tile.example.org/{z}/{x}.png", r"a URL with \{z\}, \{x\} and \{y\}"),
        ("https://tile.example.org/", r"a URL with \{z\}, \{x\} and \{y\}"),
        ("javascript:alert(1)//{z}/{x}/{y}", "a URL that begins with"),
    ],
)
def test_another_is_refused_with_the_form_that_is_accepted(url: str, words: str) -> None:
    with pytest.raises(SettingError, match=f"setting MAP_TILES_URL: .*{words}") as caught:
        read_settings({"MAP_TILES_URL": url})
    assert "allowed: " in str(caught.value)
