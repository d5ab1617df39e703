"""Alerts' settings: who may be told, by which addresses, and with which secret."""

from __future__ import annotations

import pytest

from settings import SettingError, read_settings
from settings.addresses import may_connect

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhooks(urls: str, **more: str) -> list[str]:
    read = read_settings({"ALERT_WEBHOOKS": urls, "ALERT_WEBHOOK_SECRET": SECRET, **more})
    return [webhook.url for webhook in read.alerts.webhooks]


def test_the_defaults_are_the_contracts() -> None:
    alerts = read_settings({}).alerts
    assert (alerts.raise_seconds, alerts.clear_seconds, alerts.max_age_seconds) == (2, 10, 120)
    assert (alerts.escalate_seconds, alerts.retry_seconds) == (300, 3600)
    assert (alerts.webhooks, alerts.webhook_secret) == ((), None)


@pytest.mark.parametrize(
    "url",
    [
        "https://ops.example.org/hooks?token=x",
        "https://8.8.8.8:8443/",
        "http://localhost:9000/a",
        "http://LOCALHOST/",
        "http://127.0.0.1:1/x",
        "http://127.9.8.7/",
        "http://[::1]:8080/",
        "https://127.0.0.1/",
        "https://[2606:4700::1111]/",
    ],
)
def test_https_anywhere_and_http_to_this_machine(url: str) -> None:
    assert webhooks(url) == [url]


@pytest.mark.parametrize(
    "url",
    [
        "http://ops.example.org/",
        "http://8.8.8.8/",
        "https://10.0.0.1/",
        "https://192.168.1.5/",
        "https://172.16.0.9/hook",
        "https://169.254.169.254/metadata",
        "https://100.64.0.1/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:0a00:0001::]/",
        "https://[64:ff9b::a00:1]/",
        "https://0.0.0.0/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0xa9.254.169.254/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://10.1/",
        "https://0/",
        "https://169.254.169.254./",
        "https://%31%30.0.0.1/",
        "https://１０.0.0.1/",
        "https://⑩.0.0.1/",
        "https://10。0。0。1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "https://me:secretword@ops.example.org/",
        "https:///path",
        "https://[::1/",
        "https://ops.example.org:99999/",
        "https://ops.example.org/#part",
        "https://ops.exa mple.org/",
        "ftp://ops.example.org/",
        "ops.example.org",
    ],
)
def test_any_other_address_stops_the_start(url: str) -> None:
    with pytest.raises(SettingError, match=r"setting ALERT_WEBHOOKS: URL 2 .*allowed: ") as caught:
        webhooks(f"https://fine.example/?key=hidden,{url}")
    assert "hidden" not in str(caught.value)
    assert "secretword" not in str(caught.value)


def test_several_each_once_and_not_too_many() -> None:
    assert webhooks(" https://a.example/ , https://b.example/,https://a.example/,") == [
        "https://a.example/",
        "https://b.example/",
    ]
    with pytest.raises(SettingError, match="ALERT_WEBHOOKS: has 9 URLs"):
        webhooks(",".join(f"https://{n}.example/" for n in range(9)))


def test_a_key_stands_for_the_url() -> None:
    read = read_settings(
        {"ALERT_WEBHOOKS": "https://a.example/?t=1,https://a.example/?t=2", "ALERT_WEBHOOK_SECRET": SECRET}
    )
    first, second = read.alerts.webhooks
    assert first.key != second.key
    assert "example" not in first.key


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_%%%", "whsec_abc", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfK Q9r8GKYq"]
)
@pytest.mark.parametrize("urls", ["", "https://a.example/"])
def test_a_secret_that_is_none_stops_the_start(secret: str, urls: str) -> None:
    with pytest.raises(SettingError, match=r"ALERT_WEBHOOK_SECRET: .*allowed: whsec_") as caught:
        webhooks(urls, ALERT_WEBHOOK_SECRET=secret)
    assert "MfK" not in str(caught.value)


def test_webhooks_without_a_secret_stop_the_start() -> None:
    with pytest.raises(SettingError, match="ALERT_WEBHOOK_SECRET: is not set; ALERT_WEBHOOKS needs it"):
        webhooks("https://a.example/", ALERT_WEBHOOK_SECRET="")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERT_RAISE_SECONDS", "-1"),
        ("ALERT_CLEAR_SECONDS", "soon"),
        ("ALERT_MAX_AGE_SECONDS", "0"),
        ("ALERT_ESCALATE_SECONDS", "nan"),
        ("ALERT_RETRY_SECONDS", "-5"),
        ("RETENTION_ALERTS_HOURS", "0"),
    ],
)
def test_a_wrong_number_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=rf"setting {name}: .*allowed: "):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("ops.example.org", "93.184.216.34", True),
        ("ops.example.org", "127.0.0.1", False),
        ("ops.example.org", "10.1.2.3", False),
        ("ops.example.org", "::1", False),
        ("ops.example.org", "fe80::1%eth0", False),
        ("ops.example.org", "::ffff:192.168.0.1", False),
        ("ops.example.org", "nonsense", False),
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "93.184.216.34", False),
    ],
)
def test_where_a_name_may_lead(host: str, address: str, allowed: bool) -> None:
    assert may_connect(host, address) is allowed
