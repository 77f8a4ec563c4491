"""CITATION.cff: what the Citation File Format 1.2.0 asks for, and the papers as the book's bibliography has them."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from paperlib.engine import papers
from paperlib.paths import BOOK, ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
TEXT = {"type": "string", "minLength": 1}
PERSON = {
    "type": "object",
    "required": ["family-names", "given-names"],
    "properties": {"family-names": TEXT, "given-names": TEXT},
    "additionalProperties": False,
}
ENTITY = {"type": "object", "required": ["name"], "properties": {"name": TEXT}, "additionalProperties": False}
AUTHORS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"anyOf": [PERSON, ENTITY]}}
IDENTIFIER = {
    "type": "object",
    "required": ["type", "value"],
    "properties": {"type": {"enum": ["doi", "url", "swh", "other"]}, "value": TEXT},
    "additionalProperties": False,
}
# The part of the format that the file uses; a key outside of it would be a slip.
REFERENCE = {
    "type": "object",
    "required": ["type", "title", "authors"],
    "properties": {
        "type": {"enum": ["article", "conference-paper", "generic"]},
        "title": TEXT,
        "authors": AUTHORS,
        "conference": ENTITY,
        "journal": TEXT,
        "volume": {"type": "integer"},
        "year": {"type": "integer"},
        "start": {"type": "integer"},
        "end": {"type": "integer"},
        "identifiers": {"type": "array", "minItems": 1, "items": IDENTIFIER},
    },
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "required": ["cff-version", "message", "title", "authors"],
    "properties": {
        "cff-version": {"const": "1.2.0"},
        "title": TEXT,
        "message": TEXT,
        "type": {"enum": ["software", "dataset"]},
        "authors": AUTHORS,
        "license": {"const": "MIT"},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": TEXT},
        "references": {"type": "array", "items": REFERENCE},
    },
    "additionalProperties": False,
}
# One chapter of the book for each, in the book's order.
KEYS = {
    "generalizability": "balsells2025",
    "vectorspaces": "pattichis2024",
    "svr": "meller2023",
    "convsvd": "praggastis2022",
}


def entry(key: str) -> dict[str, str]:
    """The fields of an entry of the bibliography, without braces; ``kind`` is its type."""
    text = (BOOK / "references.bib").read_text(encoding="utf-8")
    kind, body = re.search(rf"^@(\w+){{{key},\n(.*?)^}}", text, flags=re.MULTILINE | re.DOTALL).groups()
    fields = re.findall(r"^  (\w+) = {(.*?)},$", body, flags=re.MULTILINE | re.DOTALL)
    return {"kind": kind} | {name: re.sub(r"\s+", " ", re.sub(r"[{}]", "", value)) for name, value in fields}


def test_the_file_has_the_structure_of_the_format():
    Draft202012Validator.check_schema(SCHEMA)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(CITATION)] == []
    assert CITATION["authors"] == [{"name": "The paperlib authors"}]


def test_every_paper_is_among_the_references():
    assert set(KEYS) == set(papers())
    assert [reference["title"] for reference in CITATION["references"]] == [
        entry(key)["title"] for key in KEYS.values()
    ]


@pytest.mark.parametrize("paper", KEYS)
def test_a_reference_says_what_the_bibliography_says(paper):
    printed = entry(KEYS[paper])
    (reference,) = (one for one in CITATION["references"] if one["title"] == printed["title"])
    people = [f"{person['family-names']}, {person['given-names']}" for person in reference["authors"]]
    assert " and ".join(people) == printed["author"]
    said = {
        "year": str(reference["year"]),
        "booktitle": reference.get("conference", {}).get("name"),
        "journal": reference.get("journal"),
        "volume": str(reference["volume"]) if "volume" in reference else None,
        "pages": f"{reference['start']}--{reference['end']}" if "start" in reference else None,
        "eprint": next((item["value"].removeprefix("arXiv:") for item in reference.get("identifiers", [])), None),
    }
    assert said == {name: printed.get(name) for name in said}
    assert reference["type"] == {"inproceedings": "conference-paper", "article": "article"}.get(
        printed["kind"], "generic"
    )
