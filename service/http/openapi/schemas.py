"""The schemas of bodies and answers, from the Structs that read and write them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from service.errors import FieldError, Problem
from service.http.docs import Doc
from service.http.told import is_struct

REF = "#/components/schemas/{name}"
# NUL breaks PostgreSQL, so it is refused in every text that comes in.
NO_NUL = r"^[^\x00]*$"


class Schemas:
    """The schema of every Struct that is sent or answered, by its name."""

    def __init__(self, docs: Iterable[Doc]) -> None:
        docs = list(docs)
        answers = {kind for doc in docs for kind in doc.answers.values() if is_struct(kind)}
        sent = _describe({doc.body for doc in docs if doc.body})
        forbid_nul(sent)
        self.components = {**_describe({Problem, FieldError, *answers}), **sent}
        # Once, though several operations may take the same body.
        with_aliases = {doc.body.__name__: doc for doc in docs if doc.body and doc.aliases}
        for name, doc in with_aliases.items():
            _add_aliases(self.components[name], doc)

    def refer(self, kind: type[msgspec.Struct]) -> dict[str, Any]:
        """Give the reference to a Struct's schema."""
        return {"$ref": REF.format(name=kind.__name__)}

    def is_required(self, kind: type[msgspec.Struct]) -> bool:
        """Tell whether a body must be there: an empty one counts as an object without members."""
        schema = self.components[kind.__name__]
        return bool(schema["required"])


def _describe(kinds: Iterable[Any]) -> dict[str, Any]:
    """Give the schemas of Structs, and of those within them, by name."""
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    return msgspec.json.schema_components(ordered, ref_template=REF)[1]


def forbid_nul(schema: Any) -> None:
    """Say of each free text in a schema of what comes in that it holds no NUL."""
    if isinstance(schema, list):
        for inner in schema:
            forbid_nul(inner)
    if isinstance(schema, dict):
        if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum"}:
            schema["pattern"] = NO_NUL
        forbid_nul(list(schema.values()))


def _add_aliases(schema: dict[str, Any], doc: Doc) -> None:
    """Let members come under other names; a required one has to come under either."""
    members, required = schema["properties"], schema["required"]
    # Else a reader would be shown every member under all of its names.
    schema["examples"] = [{name: members[name]["examples"][0] for name in required}]
    for alias, name in doc.aliases.items():
        words, member = f"WordPress's name for `{name}`.", members[name]
        if more := doc.alias_values.get(alias):
            member = {**member, "anyOf": [*member["anyOf"], {"enum": list(more)}]}
        members[alias] = {**member, "description": words}
        if name in required:
            either = [{"required": [name]}, {"required": [alias]}]
            schema.setdefault("allOf", []).append({"anyOf": either})
    schema["required"] = [name for name in required if name not in doc.aliases.values()]
