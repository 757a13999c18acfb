"""The schemas of bodies and answers, from the Structs that read and write them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from service.errors import FieldError, Problem
from service.http.docs import Doc

REF = "#/components/schemas/{name}"


class Schemas:
    """The schema of every Struct that is sent or answered, by its name."""

    def __init__(self, docs: Iterable[Doc]) -> None:
        docs = list(docs)
        kinds: set[type[msgspec.Struct]] = {Problem, FieldError}
        for doc in docs:
            kinds |= {kind for kind in (*doc.answers.values(), doc.body) if is_struct(kind)}  # type: ignore[misc]
        ordered = sorted(kinds, key=lambda kind: kind.__name__)
        found, self.components = msgspec.json.schema_components(ordered, ref_template=REF)
        self._refs = dict(zip(ordered, found, strict=True))
        for doc in docs:
            if doc.body and doc.aliases:
                _add_aliases(self.components[doc.body.__name__], doc.aliases)

    def refer(self, kind: type[msgspec.Struct]) -> dict[str, Any]:
        """Give the reference to a Struct's schema."""
        return self._refs[kind]


def is_struct(kind: object) -> bool:
    """Tell whether something is a Struct class."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _add_aliases(schema: dict[str, Any], aliases: Mapping[str, str]) -> None:
    """Let members come under other names; a required one has to come under either."""
    members, required = schema["properties"], schema["required"]
    for alias, name in aliases.items():
        members[alias] = {**members[name], "description": f"WordPress's name for `{name}`."}
        if name in required:
            either = [{"required": [name]}, {"required": [alias]}]
            schema.setdefault("allOf", []).append({"anyOf": either})
    schema["required"] = [name for name in required if name not in aliases.values()]
