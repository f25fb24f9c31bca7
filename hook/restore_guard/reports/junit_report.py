"""For GitLab, Jenkins, Azure and others: JUnit XML, a test case a model and restore path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from restore_guard.reports import wording
from restore_guard.result import Finding, ModelResult, Result

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(result: Result) -> str:
    """A suite a model: its findings that fail are failures, what could not be checked is an error."""
    root = Element("testsuites", name="restore-guard")
    for model in result.models:
        _suite(root, model)
    cases = root.findall("testsuite/testcase")
    root.set("tests", str(len(cases)))
    for kind in ("failure", "error", "skipped"):
        count = sum(case.find(kind) is not None for case in cases)
        root.set({"failure": "failures", "error": "errors"}.get(kind, kind), str(count))
    if notes := wording.notes(result):
        SubElement(root, "properties").append(Element("property", name="notes", value=_text("\n".join(notes))))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(root: Element, model: ModelResult) -> None:
    suite = SubElement(root, "testsuite", name=_text(model.name))
    failing = [finding for finding in model.findings if finding.fails]
    for name, path in model.restores.items():
        case = SubElement(suite, "testcase", classname=_text(model.name), name=_text(name))
        _tell(case, "failure", [finding for finding in failing if name in finding.restores])
        SubElement(case, "system-out").text = _text(wording.consequence(path))
    told = {id(finding) for finding in failing if model.restores.keys() & {*finding.restores}}
    case = SubElement(suite, "testcase", classname=_text(model.name), name="model")
    others = [finding for finding in failing if id(finding) not in told]
    _tell(case, "error" if model.verdict == "unchecked" else "failure", others)
    if model.verdict == "unaffected" and not others:
        SubElement(case, "skipped", message="no file of it changed")
    elif model.verdict == "unchecked" and not others:
        SubElement(case, "error", message="it could not be checked")
    said = "\n".join(_lines(finding) for finding in model.findings if not finding.fails and finding.level != "off")
    SubElement(case, "system-out").text = _text("\n".join(filter(None, [model.word, said])))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _tell(case: Element, kind: str, findings: list[Finding]) -> None:
    if not findings:
        return
    first = findings[0]
    if first.file:
        case.set("file", _text(first.file))
    entry = SubElement(case, kind, type=_text(first.rule), message=_text(first.message))
    entry.text = _text("\n\n".join(map(_lines, findings)))


def _lines(finding: Finding) -> str:
    place = wording.location(finding)
    return "\n".join(_said(finding, f"{place}: {finding.level}: {finding.rule}".removeprefix(": ")))


def _said(finding: Finding, head: str) -> Iterator[str]:
    yield head
    yield from filter(None, [wording.change(finding), finding.message, *finding.effects])
    if finding.fix:
        yield f"fix: {finding.fix}"
    if finding.accept:
        yield f"accept: {finding.accept}"


def _text(value: str) -> str:
    """What XML 1.0 can hold."""
    return _NO_XML.sub("\ufffd", value)
