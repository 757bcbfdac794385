"""What OpenAPI is told of a body that a handler decodes itself,
and how a body is remembered under its Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from dispatch_core.errors import Invalid, NotFound


def body_hash(body: bytes) -> bytes:
    """16 bytes that tell whether a repeated key carries the same body."""
    return hashlib.blake2b(body, digest_size=16).digest()


def _schema(struct: type) -> Schema:
    (schema,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    name = schema["$ref"].rpartition("/")[2]
    return _convert(components[name], components)


_SIMPLE = {
    "description": "description", "enum": "enum", "minimum": "minimum", "maximum": "maximum",
    "default": "default", "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum", "minLength": "min_length",
    "maxLength": "max_length", "required": "required", "title": "title",
}  # fmt: skip


def _convert(node: dict[str, Any], components: dict[str, Any]) -> Schema:
    if "$ref" in node:
        return _convert(components[node["$ref"].rpartition("/")[2]], components)
    schema = Schema(**{to: node[name] for name, to in _SIMPLE.items() if name in node})
    if "type" in node:
        schema.type = OpenAPIType(node["type"])
    if "anyOf" in node:
        schema.any_of = [_convert(n, components) for n in node["anyOf"]]
    if "items" in node and isinstance(node["items"], dict):
        schema.items = _convert(node["items"], components)
    if "properties" in node:
        schema.properties = {k: _convert(v, components) for k, v in node["properties"].items()}
    return schema


def described(
    struct: type,
    example: object,
    answer: type,
    answer_example: object,
    *,
    status: str = "200",
    keyed: bool = True,
) -> type[Operation]:
    """An operation whose request body is `struct`, with examples,
    and which needs an Idempotency-Key if `keyed`."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(
                required=True,
                content={
                    "application/json": OpenAPIMediaType(
                        schema=_schema(struct), examples={"example": Example(value=example)}
                    )
                },
            )
            self.responses = {
                **(self.responses or {}),
                status: OpenAPIResponse(
                    description="Done and durable",
                    content={
                        "application/json": OpenAPIMediaType(
                            schema=_schema(answer),
                            examples={"example": Example(value=answer_example)},
                        )
                    },
                ),
            }
            if keyed:
                self.parameters = [*(self.parameters or []), _key()]

    return Described


def _key() -> Parameter:
    return Parameter(
        name="Idempotency-Key",
        param_in="header",
        required=True,
        schema=Schema(type=OpenAPIType.STRING, min_length=8, max_length=128),
        description="A new random key for a new request; the same key when it is repeated.",
    )


def raw_body(media_types: Sequence[str], what: str, *, keyed: bool = False) -> type[Operation]:
    """An operation whose request body is a file as it is, in one of the media types,
    and which needs an Idempotency-Key if `keyed`."""

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            file = OpenAPIMediaType(
                schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
            )
            self.request_body = RequestBody(
                required=True, description=what, content=dict.fromkeys(media_types, file)
            )
            if keyed:
                self.parameters = [*(self.parameters or []), _key()]

    return Described


T = TypeVar("T")


def found(record: T | None, what: str, name: str) -> T:
    """A record that is there.

    Raises:
        NotFound: `no_such_{what}`.
    """
    if record is None:
        raise NotFound(f"no_such_{what}", f"There is no {what} {name}.", "Check its identifier.")
    return record


def decode_body(body: bytes, struct: type[T]) -> T:
    """A JSON body as `struct`.

    Raises:
        Invalid: `bad_body`, with the place in the body that does not fit.
    """
    try:
        return msgspec.json.decode(body, type=struct)
    except msgspec.DecodeError as error:
        raise Invalid(
            "bad_body",
            f"{error}.",
            "Compare the request with its description and example at /docs.",
        ) from None
