# SPDX-License-Identifier: Apache-2.0
"""Image service v2 over glanceclient's HTTP client: one object per operation, JSON in and out.

No schemas, no models. Raises what the libraries below raise; retries are inside, translation is the
driver's. Redirects are followed here and nowhere else, so that no credential and no half-sent body
follows one (D-7, D-9).
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import quote, urljoin

from glanceclient import exc as glance
from glanceclient.common import http as glance_http
from urllib3 import exceptions as urllib3_exc

from nova_image import errors
from nova_image.glance import limits, retries, session
from nova_image.glance.limits import Limits
from nova_image.glance.servers import Choice
from nova_image.references import origin, without_user
from nova_image.settings import Settings
from nova_image.transfer import Upload

LOG = logging.getLogger(__name__)

MOST_REDIRECTS = 5
MOST_ERROR_BYTES = 64 * 1024
_REDIRECTS = (301, 302, 303, 305, 307, 308)
_PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'
_PASSWORD = re.compile(rb'://[^/\s@<>"\']+@')
_QUERY = re.compile(rb'(://[^?\s<>"\']+\?)[^\s<>"\']+')
JSON = dict[str, Any]


class Redirected(Exception):
    """The server answered: elsewhere."""

    def __init__(self, response: Any) -> None:
        super().__init__(f'HTTP {response.status_code}')
        self.status: int = response.status_code
        try:
            self.target = without_user(urljoin(response.url, response.headers.get('location', '')))
            origin(self.target)
        except ValueError:  # whose text may have the address, and that a password
            raise _unreadable(response, 'redirects to what is no URL') from None


class _Client(glance_http.SessionClient):  # type: ignore[misc]
    """glanceclient's client for one request, strict about what an answer is."""

    def _handle_response(self, response: Any) -> tuple[Any, Any]:
        current = limits.current()
        if current is not None:
            current.body_begins()
        status = response.status_code
        if status in _REDIRECTS and response.headers.get('location'):
            response.close()
            raise Redirected(response)
        if status >= 400 or status == 300:
            raise _error(response)
        return response, self._body(response)

    def _body(self, response: Any) -> Any:
        content = _content(response)
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise _unreadable(response, 'is no JSON') from exc


class _StreamClient(_Client):
    """The same for image data: the body is left to be read."""

    def _body(self, response: Any) -> Any:
        return None


def _content(response: Any) -> bytes:
    """The whole body; what interrupts it is a communication error like any other."""
    try:
        if response._content_consumed:
            return cast(bytes, response.content)
        return cast(bytes, response.raw.read(decode_content=True))
    except urllib3_exc.HTTPError as exc:
        response.close()
        raise glance.CommunicationError(
            f'Answer of {response.url} was cut off: {exc}'
        ) from exc


def _error(response: Any) -> Exception:
    """glanceclient's error for an answer of 300 or above, with status and pause, whatever its body."""
    body = b''
    try:
        if response._content_consumed:
            body = response.content[:MOST_ERROR_BYTES]
        else:
            body = response.raw.read(MOST_ERROR_BYTES, decode_content=True)
    except urllib3_exc.HTTPError:
        LOG.debug('the text of an error answer of %s was cut off', response.url)
    finally:
        response.close()
    body = _without_secrets(response, body)
    response._content, response._content_consumed = body, True
    response.headers.setdefault('content-type', 'text/plain')
    try:
        error = cast(Exception, glance.from_response(response, body if response.status_code != 300 else None))
    except (ValueError, AttributeError, RecursionError):  # announced JSON that is none, or text in an odd encoding
        response.headers['content-type'] = 'text/plain'
        error = cast(
            Exception, glance.from_response(response, body.decode('utf-8', 'replace').encode('utf-8'))
        )
    error.status = response.status_code  # type: ignore[attr-defined]
    error.retry_after = response.headers.get('retry-after')  # type: ignore[attr-defined]
    error.request_id = response.headers.get('x-openstack-request-id')  # type: ignore[attr-defined]
    return error


def _without_secrets(response: Any, body: bytes) -> bytes:
    """An error text goes into logs and errors: not with what is secret in a URL, nor with a token echoed."""
    body = _QUERY.sub(rb'\1***', _PASSWORD.sub(b'://***@', body))
    for header in ('X-Auth-Token', 'X-Service-Token'):
        token = response.request.headers.get(header)
        if token:
            body = body.replace(token if isinstance(token, bytes) else token.encode(), b'***')
    return body


def _unreadable(response: Any, why: str) -> errors.ImageServiceError:
    return errors.ImageServiceError(
        status=response.status_code,
        reason=f'the answer of {response.url} {why}; check that this address is a Glance v2 server',
    )


def image_path(image_id: str, *rest: str) -> str:
    """``/v2/images/<id>[/...]``, quoted."""
    return '/'.join(('/v2/images', *(quote(part, safe='') for part in (image_id, *rest))))


class Wire:
    """The requests of one operation: same credential, same server while it answers, one deadline.

    :ivar settings: read once, at the start of the operation
    :ivar choice: where the next request goes, and with which credential
    """

    def __init__(self, context: Any, settings: Settings, choice: Choice, http: Any) -> None:
        self.settings = settings
        self.choice = choice
        self._http = http
        self._request_id = getattr(context, 'global_id', None)
        self._deadline = time.monotonic() + settings.metadata_timeout

    def get(self, path: str, name: str = 'get') -> JSON:
        """A JSON object."""
        return self._object(self._metadata(name, 'GET', path, reading=True), path)

    def post(self, path: str, body: Any, name: str) -> Any:
        """Send JSON; the JSON of the answer, or None."""
        return self._metadata(name, 'POST', path, data=json.dumps(body))

    def patch(self, path: str, operations: list[JSON], name: str = 'update') -> JSON:
        """Apply a JSON patch; the changed image."""
        answer = self._metadata(name, 'PATCH', path, data=json.dumps(operations), content_type=_PATCH_TYPE)
        return self._object(answer, path)

    def delete(self, path: str) -> None:
        """Delete."""
        self._metadata('delete', 'DELETE', path)

    def act(self, path: str, action: str) -> None:
        """An action without arguments, like ``deactivate``."""
        self._metadata(action, 'POST', f'{path}/actions/{action}')

    def upload(self, path: str, body: Upload, store: str | None = None) -> None:
        """PUT image data; sent again only when it can be put back to its start (C-059)."""
        headers = {'Content-Type': 'application/octet-stream'}
        if body.size is not None:
            headers['x-openstack-image-size'] = str(body.size)
        if store:
            headers['x-image-meta-store'] = store
        sender = _Sender(self, path, body, headers)
        self._renew_deadline()
        retries.persistently(
            sender.send,
            'upload',
            self.choice,
            self.settings.num_retries,
            reading=False,
            deadline=float('inf'),
            longest_pause=self.settings.longest_pause,
            again=sender.check_repeatable,
        )
        self._renew_deadline()

    def stream(self, path: str, headers: dict[str, str]) -> Any:
        """An open response with image data, its body unread; the caller closes it."""

        def ask(server: str) -> Any:
            timed = self._limits(self.settings.first_byte_timeout, None)
            return self._exchange(server, 'GET', path, client=_StreamClient, timed=timed, extra=headers)[0]

        return retries.persistently(
            ask,
            'data',
            self.choice,
            self.settings.num_retries,
            reading=True,
            deadline=float('inf'),
            longest_pause=self.settings.longest_pause,
        )

    def _renew_deadline(self) -> None:
        """Transfers have no total; what follows one is a metadata call of its own (D-10)."""
        self._deadline = time.monotonic() + self.settings.metadata_timeout

    def _metadata(
        self,
        name: str,
        method: str,
        path: str,
        *,
        reading: bool = False,
        data: str | None = None,
        content_type: str = 'application/json',
    ) -> Any:
        return self.ask(name, lambda server: self.send(server, method, path, data, content_type), reading=reading)

    def ask(self, name: str, attempt: Callable[[str], Any], *, reading: bool = False) -> Any:
        """``attempt(server)`` until one answers, within the deadline of this operation."""
        return retries.persistently(
            attempt,
            name,
            self.choice,
            self.settings.num_retries,
            reading=reading,
            deadline=self._deadline,
            longest_pause=self.settings.longest_pause,
        )

    def send(
        self, server: str, method: str, path: str, data: str | None = None, content_type: str = 'application/json'
    ) -> Any:
        """One metadata request; the JSON of the answer, or None."""
        headers = {} if data is None else {'Content-Type': content_type}
        timed = self._limits(self.settings.first_byte_timeout, self._deadline)
        return self._exchange(server, method, path, headers=headers, data=data, timed=timed)[1]

    def _limits(self, first_byte: float, deadline: float | None) -> Limits:
        return Limits.of(self.settings, first_byte, deadline)

    def _exchange(
        self,
        server: str,
        method: str,
        path: str,
        *,
        timed: Limits,
        client: type[_Client] = _Client,
        headers: dict[str, str] | None = None,
        extra: dict[str, str] | None = None,
        data: Any = None,
    ) -> tuple[Any, Any]:
        """One request, and where it is redirected to.

        :param extra: headers that glanceclient would percent-encode to death
        """
        auth, url = self.choice.auth, path
        more = dict(extra or {})
        if self._request_id:
            more['X-OpenStack-Request-ID'] = str(self._request_id)
        for _hop in range(1 + MOST_REDIRECTS):
            http = client(
                self._http, endpoint_override=server.replace('%', '%%'), additional_headers=more
            )
            try:
                with limits.applied(timed):
                    answer: tuple[Any, Any] = http.request(
                        url,
                        method,
                        headers=dict(headers or {}),
                        data=data,
                        auth=auth,
                        authenticated=auth is not None,
                        allow_reauth=not isinstance(data, _Readable),
                        redirect=False,
                        log=False,
                    )
                    return answer
            except Redirected as elsewhere:
                if method != 'GET':
                    raise _no_detour(method, server, elsewhere) from None
                if origin(elsewhere.target) != origin(server):
                    auth, more = None, dict(extra or {})
                url = elsewhere.target
        raise errors.ImageServiceError(
            status='a redirect',
            reason=f'{server}{path} was redirected more than {MOST_REDIRECTS} times',
        )

    @staticmethod
    def _object(answer: Any, path: str) -> JSON:
        if not isinstance(answer, dict):
            raise errors.ImageServiceError(
                status='something',
                reason=f'{path} gave {type(answer).__name__}, expected a JSON object',
            )
        return answer


def _no_detour(method: str, server: str, elsewhere: Redirected) -> errors.ImageServiceError:
    return errors.ImageServiceError(
        status=elsewhere.status,
        reason=f'{method} at {server} was redirected to {elsewhere.target}, and what '
        'changes images is never sent after a redirect; set [glance] api_servers to the new address',
    )


class _Readable:
    """An upload as glanceclient wants a body: ``read`` gives the next chunk, whatever size it asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, size: int = -1) -> bytes:
        return next(self._chunks, b'')


class _Sender:
    """The attempts of one upload."""

    def __init__(self, wire: Wire, path: str, body: Upload, headers: dict[str, str]) -> None:
        self._wire = wire
        self._path = path
        self._body = body
        self._headers = headers
        self._failed_before = False
        self._renewed = False

    def send(self, server: str) -> None:
        wire, settings = self._wire, self._wire.settings
        timed = wire._limits(settings.upload_answer_timeout, None)
        try:
            wire._exchange(
                server,
                'PUT',
                self._path,
                timed=timed,
                headers=self._headers,
                data=_Readable(iter(self._body)),
            )
        except Exception as exc:
            if self._body.failure is not None:
                raise self._body.failure from exc
            status = getattr(exc, 'status', None)
            if status == 401 and not self._renewed and self._can_ask_again():
                self._renewed = True
                self.send(server)
            elif status == 409 and (self._failed_before or self._renewed):
                # The attempt that was cut still holds the image in "saving" for a moment.
                raise glance.CommunicationError(f'the server still works on what was cut off: {exc}') from exc
            else:
                raise

    def _can_ask_again(self) -> bool:
        return session.forget_token(self._wire._http, self._wire.choice.auth) and self._body.rewind()

    def check_repeatable(self, exc: BaseException) -> None:
        self._failed_before = True
        if not self._body.rewind():
            raise errors.joined(errors.ImageUploadNotRepeatable, errors.GlanceConnectionFailed)(
                image_id=self._body.image_id, reason=str(exc)
            )
