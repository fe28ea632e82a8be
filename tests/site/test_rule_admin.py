"""Rules in the admin: refused where they can't be, tried on a real export, taken up by the next scan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from collector.models import Rule
from collector.pipeline.publish import publish
from collector.rule_book import rules_of
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import scan
from tests.quotes import dark_chain, live_chain

pytestmark = pytest.mark.django_db

FORM: dict[str, Any] = {
    "market": "demo",
    "name": "High IV",
    "condition": "iv_rank > 80",
    "rearm": "",
    "tickers": "",
    "direction": "neutral",
    "minimum_grade": "C",
    "enabled": "on",
}
ADD = "admin:collector_rule_add"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mia", password="x"))
    return client


@pytest.fixture
def shown_folder(data_dir: Path, settings: Any) -> MarketFolder:
    """The market of recordings: its documents show what was scanned, however long ago."""
    folder = MarketFolder(data_dir, "recorded")
    folder.create()
    settings.MARKET_FOLDER = folder
    return folder


def rule(**values: Any) -> Rule:
    made = Rule(**{"market": "demo", "name": "High IV", "condition": "iv_rank > 80", **values})
    made.full_clean()
    made.save()
    return made


def test_a_rule_is_saved_as_it_will_be_read(staff: Client) -> None:
    answer = staff.post(reverse(ADD), {**FORM, "tickers": "spx brk.b", "rearm": "iv_rank > 70"})
    assert answer.status_code == 302, answer.content.decode()
    (row,) = Rule.objects.all()
    assert (row.slug, row.tickers) == ("high-iv", "BRK-B, ^SPX")
    (definition,) = rules_of("demo")
    assert definition.to_json() == {
        "name": "High IV",
        "condition": "iv_rank > 80",
        "rearm": "iv_rank > 70",
        "tickers": ["BRK-B", "^SPX"],
        "direction": "neutral",
        "minimum_grade": "C",
    }
    assert rules_of("live") == ()
    assert staff.get(reverse("admin:collector_rule_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"condition": "iv_rnk > 80"}, "condition", "at character 1: iv_rnk is no field; the nearest is iv_rank"),
        ({"condition": "iv_rank > 80 and"}, "condition", "at character 17: the condition ends too early"),
        ({"condition": 'iv_rank > "80"'}, "condition", "at character 1: iv_rank is a number"),
        ({"condition": ""}, "condition", "This field is required."),
        ({"rearm": "iv_rank < 70"}, "rearm", "< points the wrong way"),
        ({"tickers": "AAPL $$$"}, "tickers", "is not a ticker"),
        ({"name": "…"}, "name", "no letter of a to z"),
        ({"direction": "up"}, "direction", "not one of the available choices"),
    ],
)
def test_what_can_not_be_is_refused_at_its_field(change: dict[str, str], field: str, says: str, staff: Client) -> None:
    answer = staff.post(reverse(ADD), {**FORM, **change})
    assert answer.status_code == 200
    assert says in " ".join(answer.context["adminform"].form.errors[field])
    assert not Rule.objects.exists()


def test_two_rules_of_one_name_are_refused_in_one_market(staff: Client) -> None:
    rule()
    answer = staff.post(reverse(ADD), {**FORM, "name": "high-iv"})
    assert "Another rule of this market has this name." in str(answer.context["adminform"].form.errors)
    assert staff.post(reverse(ADD), {**FORM, "market": "live"}).status_code == 302
    (own,) = Rule.objects.filter(market="demo")
    own.full_clean()


def test_a_name_of_the_configuration_file_is_refused(staff: Client, tmp_path: Path, settings: Any) -> None:
    config = tmp_path / "rules.toml"
    config.write_text("[[rules]]\nname = 'high IV'\ncondition = 'iv_rank > 1'\n")
    settings.OPTSITE = settings.OPTSITE.model_copy(update={"config": config})
    answer = staff.post(reverse(ADD), FORM)
    assert "The configuration file has a rule of this name." in str(answer.context["adminform"].form.errors)
    config.write_text("[[rules]]\nname = 'other'\n")
    answer = staff.post(reverse(ADD), FORM)
    assert "The configuration file has to be put right first" in str(answer.context["adminform"].form.errors)


def test_one_that_names_a_field_that_is_gone_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    rule()
    Rule.objects.create(market="demo", name="Old", condition="a_field_of_old > 1")
    Rule.objects.create(market="demo", name="Off", condition="iv_rank > 1", enabled=False)
    assert [one.name for one in rules_of("demo")] == ["High IV"]
    assert "The rule Old can't be used any more" in caplog.text


def tried(staff: Client, made: Rule) -> Any:
    answer = staff.get(reverse("admin:collector_rule_try_out", args=[made.pk]))
    assert answer.status_code == 200
    return answer


def test_a_dry_run_shows_where_it_fires_and_where_it_can_not_be_judged(
    staff: Client, shown_folder: MarketFolder
) -> None:
    scan(shown_folder, {"ZZTA": [live_chain()], "ZZTB": [dark_chain("ZZTB")]})
    publish(shown_folder)
    page = staff.get(reverse("admin:collector_rule_change", args=[rule(market="recorded").pk])).content.decode()
    assert "dry-run" in page

    volumes = [one.volume for one in live_chain().contracts if one.option_type == "call"]
    traded = f"{sum(volume or 0 for volume in volumes):,}"
    run = tried(staff, rule(market="recorded", name="Priced", condition="price > 99 and call_volume >= 0")).context[
        "run"
    ]
    assert [(one.ticker, one.told) for one in run.fires] == [("ZZTA", f"price 100, call_volume {traded}")]
    assert [(one.ticker, one.why) for one in run.unknown] == [("ZZTB", "call_volume is null")]
    ranked = tried(staff, rule(market="recorded", name="Ranked", condition="iv_rank > 80"))
    unknown = {one.ticker: one.why for one in ranked.context["run"].unknown}
    assert unknown == {"ZZTA": "iv_rank is null", "ZZTB": "iv_rank is null"}
    assert "iv_rank is null" in ranked.content.decode()
    assert not ranked.context["run"].fires
    own = tried(staff, rule(market="recorded", name="Own", condition="iv_rank > 80", tickers="ZZTB")).context["run"]
    assert [one.ticker for one in own.unknown] == ["ZZTB"]


def test_a_dry_run_on_chains_names_each(staff: Client, shown_folder: MarketFolder) -> None:
    scan(shown_folder, {"ZZTA": [live_chain()], "ZZTB": [dark_chain("ZZTB")]})
    publish(shown_folder)
    run = tried(staff, rule(market="recorded", name="Chains", condition="chain.dte >= 0")).context["run"]
    assert [(one.ticker, bool(re.fullmatch(r"2026-\d\d-\d\d ZZTA", one.chain))) for one in run.fires] == [
        ("ZZTA", True)
    ]
    assert [(one.ticker, one.why) for one in run.unknown] == [
        ("ZZTB", "The chains behind the figures are graded below what the rule accepts.")
    ]
    quiet = tried(staff, rule(market="recorded", name="None", condition="chain.dte > 9000")).context["run"]
    assert (quiet.fires, quiet.quiet) == ((), 1)


def test_a_dry_run_where_nothing_is_published_says_so(staff: Client, shown_folder: MarketFolder) -> None:
    assert "Nothing of this market is published yet" in tried(staff, rule(market="recorded")).content.decode()
    broken = Rule.objects.create(market="recorded", name="Old", condition="a_field_of_old > 1")
    assert "a_field_of_old is no field" in tried(staff, broken).content.decode()
    assert staff.get(reverse("admin:collector_rule_try_out", args=[9999])).status_code == 404


def test_who_may_not_see_rules_may_not_try_them(client: Client, shown_folder: MarketFolder) -> None:
    user = get_user_model().objects.create_user("noah", is_staff=True)
    client.force_login(user)
    address = reverse("admin:collector_rule_try_out", args=[rule(market="recorded").pk])
    assert client.get(address).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_rule"))
    assert client.get(address).status_code == 200
