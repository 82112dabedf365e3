"""Pages of the public C++ headers in Markdown, from Doxygen's XML."""

import logging
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOG = logging.getLogger("mkdocs.hooks.cpp_reference")
DOXYFILE = """
INPUT = cpp/include
RECURSIVE = YES
FILE_PATTERNS = *.hpp
STRIP_FROM_PATH = cpp/include
OUTPUT_DIRECTORY = {output}
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
SORT_MEMBER_DOCS = NO
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = SECONDLOOK_EXPORT=
QUIET = YES
WARN_IF_UNDOCUMENTED = NO
WARN_IF_INCOMPLETE_DOC = NO
"""
# Longest declaration on one line.
WIDTH = 88
# Lists of fields and names, which only the library itself uses.
INTERNAL = {"for_each_field", "names_of", "earlier_names_of", "is_written_as_list"}


@dataclass
class ReferencePage:
    """What one component declares."""

    component: str
    title: str
    names: list[str] = field(default_factory=list)  # of classes, functions and so on
    markdown: str = ""


def run_doxygen(repository: Path) -> Path:
    """Write the XML and return its folder; each warning of Doxygen is one of MkDocs."""
    output = repository / "build" / "doxygen"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    result = subprocess.run(
        ["doxygen", "-"],
        input=DOXYFILE.format(output=output),
        capture_output=True,
        text=True,
        cwd=repository,
        check=True,
    )
    for line in dict.fromkeys(result.stderr.splitlines()):
        LOG.warning("Doxygen: %s", line.replace(f"{repository}/", ""))
    return output / "xml"


def pages(repository: Path, titles: dict[str, str]) -> list[ReferencePage]:
    """One page per component with public headers, in the order of `titles`."""
    try:
        reference = Reference(run_doxygen(repository))
    except FileNotFoundError:
        raise SystemExit("the C++ reference needs doxygen; run tools/bootstrap.sh docs") from None
    return [
        reference.page(component, title)
        for component, title in titles.items()
        if (repository / "cpp" / "include" / "secondlook" / component).is_dir()
    ]


# --- text -----------------------------------------------------------------------------------------


def code(element: ET.Element | None) -> str:
    """Text of a type or declaration, in the style of the headers."""
    text = " ".join("".join(element.itertext()).split()) if element is not None else ""
    text = re.sub(r"\s*<\s+", "<", text)
    text = re.sub(r"\s+>", ">", text).replace("{ ", "{")
    return re.sub(r"\s+([&*]+)", r"\1", text)


def escaped(text: str | None) -> str:
    """Plain text in Markdown."""
    text = re.sub(r"\s+", " ", text or "")
    return re.sub(r"([\\\[\]*_`])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")


def is_public(member: ET.Element) -> bool:
    """Whether users or derived classes may use a member."""
    return member.get("prot") in ("public", "protected")


class Reference:
    """The compounds of Doxygen's XML, and where each is on the pages."""

    def __init__(self, folder: Path) -> None:
        self.compounds: dict[str, ET.Element] = {}
        for path in sorted(folder.glob("*.xml")):
            for compound in ET.parse(path).getroot().iter("compounddef"):
                self.compounds[compound.get("id", "")] = compound
        self.anchors: dict[str, str] = {}  # of Doxygen's ids, as page#anchor
        self._find_anchors()

    def page(self, component: str, title: str) -> ReferencePage:
        """Page of a component: its headers by name, and what they declare in their order."""
        page = ReferencePage(component, title)
        lines = [f"# {title} in C++", ""]
        headers: dict[str, list[tuple[int, ET.Element]]] = {}
        for entity in self._entities():
            header, line = location(entity)
            if header.startswith(f"secondlook/{component}/"):
                headers.setdefault(header, []).append((line, entity))
        for header in sorted(headers):
            lines += [f"## {Path(header).name}", "", f"`#include <{header}>`", ""]
            for _, entity in sorted(headers[header], key=lambda pair: pair[0]):
                anchor = self.anchors[entity.get("id", "")].split("#")[1]
                if anchor not in page.names and not re.search(r"[.]|-\d+$", anchor):
                    page.names.append(anchor)
                lines += self._entity(entity, anchor)
        page.markdown = "\n".join(lines)
        return page

    # What the headers declare: classes, also in classes, and members of namespaces.
    def _entities(self) -> Iterator[ET.Element]:
        for compound in self.compounds.values():
            if compound.get("kind") in ("class", "struct"):
                name = compound.findtext("compoundname", "")
                if compound.get("prot") == "public" and "<" not in name and "detail::" not in name:
                    yield compound
            elif compound.get("kind") == "namespace":
                if compound.findtext("compoundname") not in ("secondlook", "secondlook::detect"):
                    continue
                for member in compound.iter("memberdef"):
                    internal = member.findtext("name", "").split("<")[0] in INTERNAL
                    is_documented = bool(self._description(member))
                    if not internal and (member.get("kind") != "variable" or is_documented):
                        yield member

    def _find_anchors(self) -> None:
        used: set[str] = set()

        def add(element: ET.Element, name: str) -> None:
            component = location(element)[0].split("/")[1:2]
            anchor = name
            count = 1
            while f"{component}{anchor}" in used:
                count += 1
                anchor = f"{name}-{count}"
            used.add(f"{component}{anchor}")
            self.anchors[element.get("id", "")] = f"{''.join(component)}.md#{anchor}"

        entities = list(self._entities_without_descriptions())
        for entity in sorted(entities, key=lambda e: location(e)):
            if entity.tag == "compounddef":
                name = entity.findtext("compoundname", "").replace("secondlook::", "")
                name = name.replace("::", ".")
                add(entity, name)
                for member in entity.iter("memberdef"):
                    if member.get("kind") == "variable":  # part of the list of fields
                        self.anchors[member.get("id", "")] = self.anchors[entity.get("id", "")]
                    elif is_public(member):
                        add(member, f"{name}.{member.findtext('name', '').replace(' ', '')}")
            else:
                add(entity, entity.findtext("name", "").replace(" ", ""))

    def _entities_without_descriptions(self) -> Iterator[ET.Element]:
        for compound in self.compounds.values():
            if compound.get("kind") in ("class", "struct"):
                yield compound
            elif compound.get("kind") == "namespace":
                yield from compound.iter("memberdef")

    # --- entities ---------------------------------------------------------------------------------

    def _entity(self, entity: ET.Element, anchor: str) -> list[str]:
        if entity.tag == "memberdef":
            return self._member(entity, anchor, level=3)
        name = anchor.replace(".", "::")
        bases = [code(base).replace("secondlook::", "") for base in entity.iter("basecompoundref")]
        declaration = f"{entity.get('kind')} {name}"
        declaration = template(entity) + declaration
        if bases:
            declaration += " : public " + ", public ".join(bases)
        lines = [f"### {name} {{ #{anchor} }}", "", *fenced(declaration)]
        lines += [self._description(entity), ""]
        members = [
            m for m in entity.iter("memberdef") if is_public(m) and m.get("kind") != "friend"
        ]
        members.sort(key=lambda m: location(m)[1])
        lines += self._fields([m for m in members if m.get("kind") == "variable"])
        plain = name.split("::")[-1]
        functions = [m for m in members if m.get("kind") != "variable" and not special(m, plain)]
        others = []
        for member in functions:
            if self._description(member):
                member_anchor = self.anchors[member.get("id", "")].split("#")[1]
                lines += self._member(member, member_anchor, level=4, owner=f"{name}::")
            else:
                others.append(declared(member))
        if others:
            lines += fenced("\n".join(others))
        return lines

    def _fields(self, fields: list[ET.Element]) -> list[str]:
        lines = []
        for member in fields:
            text = " ".join(self._description(member).split())
            lines.append(f"- `{declared(member)}`" + (f": {text}" if text else ""))
        return [*lines, ""] if lines else []

    def _member(self, member: ET.Element, anchor: str, level: int, owner: str = "") -> list[str]:
        name = member.findtext("name", "")
        attributes = f'{{ #{anchor} data-toc-label="{name}" }}'
        lines = [f"{'#' * level} {escaped(owner + name)} {attributes}", ""]
        lines += fenced(declared(member))
        lines += [self._description(member), ""]
        for value in member.iter("enumvalue"):
            text = " ".join(self._description(value).split())
            lines.append(f"- `{value.findtext('name')}`" + (f": {text}" if text else ""))
        return [*lines, ""]

    # --- descriptions -----------------------------------------------------------------------------

    def _description(self, element: ET.Element) -> str:
        parts: list[str] = []
        for tag in ("briefdescription", "detaileddescription"):
            for para in element.findall(f"{tag}/para"):
                parts += self._paragraph(para)
        return "\n\n".join(part for part in parts if part)

    def _paragraph(self, para: ET.Element) -> list[str]:
        """Return the text of a paragraph, and the lists in it as blocks of their own."""
        blocks = [escaped(para.text)]
        for child in para:
            if child.tag == "itemizedlist":
                items = [self._inline(item.find("para")) for item in child.iter("listitem")]
                blocks += ["\n".join(f"- {item}" for item in items), ""]
            elif child.tag == "parameterlist":
                blocks += [self._parameters(child), ""]
            elif child.tag == "simplesect":
                text = " ".join(self._inline(p) for p in child.iter("para"))
                blocks += [f"**Returns** {text}" if child.get("kind") == "return" else text, ""]
            elif child.tag == "verbatim":
                blocks += ["\n".join(fenced((child.text or "").strip("\n"), "text")), ""]
            else:
                blocks[-1] += self._inline_element(child)
            blocks[-1] += escaped(child.tail)
        return [block.strip() for block in blocks]

    def _parameters(self, parameters: ET.Element) -> str:
        lines = []
        for item in parameters.iter("parameteritem"):
            names = [self._code(name) for name in item.iter("parametername")]
            text = " ".join(self._inline(p) for p in item.findall("parameterdescription/para"))
            lines.append(f"- {', '.join(names)}: {text}")
        title = {
            "param": "Parameters",
            "exception": "Throws",
            "templateparam": "Template parameters",
        }
        return f"**{title.get(parameters.get('kind', ''), '')}**\n\n" + "\n".join(lines)

    def _inline(self, element: ET.Element | None) -> str:
        if element is None:
            return ""
        pieces: Iterable[str] = (
            self._inline_element(child) + escaped(child.tail) for child in element
        )
        return (escaped(element.text) + "".join(pieces)).strip()

    def _inline_element(self, element: ET.Element) -> str:
        if element.tag in ("computeroutput", "ref", "parametername"):
            return self._code(element)
        if element.tag in ("bold", "emphasis"):
            mark = "**" if element.tag == "bold" else "*"
            return f"{mark}{self._inline(element)}{mark}"
        return self._inline(element)

    # Code, as a link if it names something on the pages.
    def _code(self, element: ET.Element) -> str:
        text = "".join(element.itertext()).strip()
        ref = element if element.tag == "ref" else element.find("ref")
        target = self.anchors.get(ref.get("refid", "")) if ref is not None else None
        return f"[`{text}`]({target})" if target and target[0] != "." else f"`{text}`"


# --- declarations ---------------------------------------------------------------------------------


def location(element: ET.Element) -> tuple[str, int]:
    """Header, such as secondlook/detect/detector.hpp, and line."""
    found = element.find("location")
    return ("", 0) if found is None else (found.get("file", ""), int(found.get("line", "0")))


def special(member: ET.Element, class_name: str) -> bool:
    """Whether a member copies, moves or destroys, as every class does."""
    name = member.findtext("name", "")
    if name.startswith("~") or name == "operator=":
        return True
    parameters = member.findall("param")
    return name == class_name and len(parameters) == 1 and class_name in re.split(
        r"\W+", code(parameters[0].find("type"))
    )  # fmt: skip


def template(element: ET.Element) -> str:
    """Return the line before the declaration of a template."""
    found = element.find("templateparamlist")
    if found is None:
        return ""
    parameters = [declared_parameter(parameter) for parameter in found.iter("param")]
    return f"template <{', '.join(parameters)}>\n"


def declared_parameter(parameter: ET.Element) -> str:
    """Return type, name and default of a parameter."""
    text = f"{code(parameter.find('type'))} {parameter.findtext('declname', '')}".strip()
    value = code(parameter.find("defval"))
    return f"{text} = {value}" if value else text


def declared(member: ET.Element) -> str:
    """Return the declaration of a member, on several lines if it is long."""
    name = member.findtext("name", "")
    kind = member.get("kind")
    if kind == "enum":
        return f"enum class {name}"
    if kind == "typedef":
        return f"using {name} = {code(member.find('type'))}"
    prefix = template(member)
    prefix += "static " if member.get("static") == "yes" else ""
    prefix += "explicit " if member.get("explicit") == "yes" else ""
    result = f"{code(member.find('type'))} {name}".strip()
    result = re.sub(r"\b(constexpr|inline|virtual) ", "", result)
    if kind == "variable":
        value = code(member.find("initializer"))
        return f"{prefix}{result} {value}".strip() if value else f"{prefix}{result}"
    parameters = [declared_parameter(parameter) for parameter in member.findall("param")]
    arguments = code(member.find("argsstring"))
    suffix = arguments[arguments.rfind(")") + 1 :] if ")" in arguments else ""
    suffix = re.sub(r"\s*(override|final|=\s*default)", "", suffix)
    line = f"{result}({', '.join(parameters)}){suffix}"
    if len(line) > WIDTH:
        line = f"{result}(\n    " + ",\n    ".join(parameters) + f"){suffix}"
    return prefix + line


def fenced(text: str, language: str = "cpp") -> list[str]:
    """Return a block of code."""
    return [f"```{language}", text, "```", ""]
