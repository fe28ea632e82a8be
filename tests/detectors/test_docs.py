"""docs/detectors.md says what the detectors say of themselves."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from collector.detectors.base import Detector
from collector.detectors.registry import DETECTORS

PATH = Path(__file__).resolve().parents[2] / "docs" / "detectors.md"
BEGIN = "<!-- from here on made of the code: python -m tests.detectors.test_docs -->\n"


def described(config: Any) -> dict[str, str]:
    """What a Config's docstring says of each of its levels; some share a line."""
    text = inspect.getdoc(type(config)) or ""
    found: dict[str, str] = {}
    for names, words in re.findall(r"^ {4}([a-z_0-9, ]+): ((?:.|\n(?! {4}[a-z]))+)", text, flags=re.MULTILINE):
        found |= dict.fromkeys((name.strip() for name in names.split(",")), " ".join(words.split()))
    return found


def section(detector: Detector) -> str:
    words = described(detector.config)
    rows = [
        f"| `{one.name}` | `{getattr(detector.config, one.name)}` | {words[one.name]} |"
        for one in fields(detector.config)
    ]
    return "\n".join(
        [
            f"## {detector.name}",
            "",
            detector.hypothesis,
            "",
            f"- Formula: {detector.formula.removesuffix('.')}.",
            f"- Day one: {detector.day_one}",
            f"- Worst grade that it accepts: {detector.minimum_grade}. Outcomes are judged by: `{detector.claim}`.",
            "",
            "| level | default | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def made() -> str:
    return "\n".join(section(detector) for detector in DETECTORS)


def test_the_document_is_what_the_detectors_say() -> None:
    assert PATH.read_text(encoding="utf-8").partition(BEGIN)[2] == made()


if __name__ == "__main__":
    head = PATH.read_text(encoding="utf-8").partition(BEGIN)[0]
    PATH.write_text(head + BEGIN + made(), encoding="utf-8")
