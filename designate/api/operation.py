"""What can be done at a path: the handler, and what it reads and answers."""

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
    """One request on its way through a handler. ids: the path's, in order, in canonical form. kept: what
    was answered before."""

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
            # A list has a link for each of its items.
            mount = self.request.script_name.rpartition("/")[0]
            found = self.request.environ[BASE] = base_of(self.conf, self.request, mount)
        return str(found)

    @property
    def root(self) -> str:
        """What the links of this version of the API start with."""
        return f"{self.base}/v2"

    def link(self, path: str) -> str:
        return self.root + path


def base_of(conf: cfg.ConfigOpts, request: Request, mount: str) -> str:
    """What links start with. mount: the path of the server at which the whole service is."""
    api = conf["service:api"]
    if not api.enable_host_header:
        return str(api.api_base_uri).rstrip("/")
    return f"{request.host_url}{mount}"


Handler = Callable[[ApiCall], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSpec:
    """A successful answer. schema: of its body; None: it has none. named: the schemas that it refers
    to. has_location: whether it has a Location."""

    description: str
    schema: Schema | None = None
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    has_location: bool = False

    @classmethod
    def of(cls, shape: Shape, description: str, **how: bool) -> ResponseSpec:
        return cls(
            description=description,
            schema=ref(shape.name),
            schemas={shape.name: shape.schema},
            **how,
        )


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


NO_CONTENT = ResponseSpec(description="Done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of a path. summary: what it does, as an imperative. answers: by status code; also errors
    that differ from the usual ones.
    error_codes: status codes of errors besides those that every operation, every id and every body may
    give rise to. makes: the path of the collection that has what it makes."""

    handler: Handler
    summary: str = ""
    body: Body | None = None
    responses: Mapping[int, ResponseSpec] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    error_codes: tuple[int, ...] = ()
    creates_in: str = ""
    deprecated: bool = False

    def __call__(self, call: ApiCall) -> Response:
        return self.handler(call)
