"""Operations: a handler with the declaration of its input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oslo_config import cfg
from webob import Request, Response

from designate.api.page_cache import PageCache
from designate.api.shape import Body, Parameter, Schema, Shape
from designate.context import Context
from designate.rpc.clients import CentralClient

BASE = "designate.base"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request with everything that its handler needs.

    Attributes:
        request: The HTTP request.
        context: The caller and the request's flags.
        central: The client of central.
        conf: The configuration.
        ids: The ids in the path, in order and in canonical form.
        pages: Lists that were returned before.
    """

    request: Request
    context: Context
    central: CentralClient
    conf: cfg.ConfigOpts
    ids: tuple[str, ...]
    pages: PageCache

    @property
    def base(self) -> str:
        """Scheme, host and mount point of the API as the client knows them, without a slash."""
        found = self.request.environ.get(BASE)
        if found is None:
            # Cached, because a list has a link for each of its items.
            mount = self.request.script_name.rpartition("/")[0]
            found = self.request.environ[BASE] = base_of(self.conf, self.request, mount)
        return str(found)

    @property
    def root(self) -> str:
        """The start of all links to API version 2."""
        return f"{self.base}/v2"

    def link(self, path: str) -> str:
        """Return the URL of a path below the root."""
        return self.root + path


def base_of(conf: cfg.ConfigOpts, request: Request, mount: str) -> str:
    """Return the start of all links.

    Args:
        conf: The configuration.
        request: The request, whose Host header counts if the configuration says so.
        mount: The path at which the server mounts the whole service.
    """
    api = conf["service:api"]
    if not api.enable_host_header:
        return str(api.api_base_uri).rstrip("/")
    return f"{request.host_url}{mount}"


Handler = Callable[[ApiCall], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSpec:
    """A successful response in the API's document.

    Attributes:
        description: For people.
        schema: The schema of the body; None: there is no body.
        schemas: The named schemas that `schema` refers to.
        has_location: Whether the response has a Location header.
    """

    description: str
    schema: Schema | None = None
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    has_location: bool = False

    @classmethod
    def of(cls, shape: Shape, description: str) -> ResponseSpec:
        """Return a response whose body is one object of this shape."""
        return cls(
            description=description,
            schema=ref(shape.name),
            schemas={shape.name: shape.schema},
        )


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


NO_CONTENT = ResponseSpec(description="Done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of a path.

    Attributes:
        handler: What handles the request.
        summary: What the operation does, as an imperative.
        body: The body that the operation reads; None: it reads none.
        responses: By status code; errors only where they differ from the common ones.
        parameters: Query parameters and headers, without the common ones.
        error_codes: Status codes of errors besides those common to all operations, ids and bodies.
        creates_in: The path of the collection that contains what the operation creates.
        deprecated: Whether the operation exists for old clients only.
    """

    handler: Handler
    summary: str = ""
    body: Body | None = None
    responses: Mapping[int, ResponseSpec] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    error_codes: tuple[int, ...] = ()
    creates_in: str = ""
    deprecated: bool = False

    def __call__(self, call: ApiCall) -> Response:
        """Handle the request."""
        return self.handler(call)
