# SPDX-License-Identifier: Apache-2.0
"""The walk over an image's locations, and what happens with the bytes that a fetcher opens there.

Whatever goes wrong is logged, and then the next location has its turn and at last the service: an image
that cannot be had directly is an image that is had over HTTP (C-140).
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import ParseResult, urlparse

from nova_image import transfer
from nova_image.direct.places import Fetcher, Location
from nova_image.settings import Settings

LOG = logging.getLogger(__name__)
_tried = contextvars.ContextVar('nova_image_locations_tried', default=False)


def locations_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The locations that a record shows, the direct URL at their end (C-123)."""
    shown = [entry for entry in record.get('locations') or () if entry.get('url')]
    url = record.get('direct_url')
    return [*shown, {'url': url, 'metadata': {}}] if url and all(url != one['url'] for one in shown) else shown


def _tell(logger: logging.Logger, where: str, error: Exception) -> None:
    """Log a failure; without its texts where they may quote the credential of a store."""
    if '@' in where or '?' in where:
        logger.error('Fetching from a location with scheme %s failed: %s', where.partition(':')[0], type(error).__name__)
    else:
        logger.exception(error)  # the text that Icehouse logged (C-140)


def first_that_works(
    locations: Iterable[Mapping[str, Any]], take: Callable[[ParseResult, Mapping[str, Any]], bool], logger: logging.Logger
) -> bool:
    """Whether one of them could be taken; in their order, failures logged (C-139, C-140).

    :param take: fetches from a location; False if nobody serves its scheme
    """
    for entry in locations:
        where = entry['url']
        try:
            url = urlparse(where)
            if not take(url, entry.get('metadata') or {}):
                continue
        except Exception as error:  # noqa: BLE001 - whatever a fetcher of somebody else raises
            _tell(logger, str(where), error)
            continue
        logger.info('Successfully transferred using %s', url.scheme)
        return True
    return False


@contextlib.contextmanager
def already_tried() -> Iterator[None]:
    """In the block, drivers ask the service at once: the caller has walked the locations with fetchers of its own."""
    token = _tried.set(True)
    try:
        yield
    finally:
        _tried.reset(token)


def fetch(
    context: Any,
    record: Mapping[str, Any],
    dest_path: Any,
    *,
    settings: Settings,
    signature: transfer.SignatureCheck | None = None,
) -> bool:
    """Bring an active image to ``dest_path`` from one of its locations, where configuration allows (C-138).

    :param record: ours or Glance's own; says what the bytes must be, and where they are
    :returns: False if no location would do; then nothing has changed at ``dest_path``
    """
    allowed = settings.allowed_direct_url_schemes
    if not allowed or _tried.get() or record.get('status') != 'active' or not begins_again(dest_path):
        return False
    from nova_image.direct import plugins

    expected = transfer.Expected.from_record(record)

    def take(url: ParseResult, metadata: Mapping[str, Any]) -> bool:
        fetcher = plugins.fetcher(url.scheme, settings.conf) if url.scheme in allowed else None
        if fetcher is None:
            return False
        bring(fetcher, context, url, metadata, dest_path, expected, settings=settings, signature=signature)
        return True

    done = first_that_works(locations_of(record), take, LOG)
    if signature is not None and not done:
        signature.restart()
    return done


def bring(
    fetcher: Fetcher,
    context: Any,
    url: ParseResult,
    metadata: Mapping[str, Any],
    dest_path: Any,
    expected: transfer.Expected | None,
    *,
    settings: Settings,
    signature: transfer.SignatureCheck | None = None,
    logger: logging.Logger = LOG,
) -> None:
    """Bring the bytes of one location to ``dest_path``: right, or not at all (D-8).

    :raises Exception: of the fetcher, of the target, or of a check
    """
    if signature is not None:
        signature.restart()
    location = Location(url, metadata, context, _folder(dest_path))
    transfer.deliver(
        lambda offset: fetcher.open(location),
        expected,
        settings=settings,
        dest_path=dest_path,
        logger=logger,
        try_again=False,
        signature=signature,
    )


def begins_again(dest_path: Any) -> bool:
    """Whether what failed halfway can be followed by the whole image; what went into a pipe is read already."""
    mode = _mode(dest_path)
    return mode is None or not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _folder(dest_path: Any) -> str | None:
    mode = _mode(dest_path)
    if mode is None or stat.S_ISREG(mode):
        return os.path.dirname(os.path.realpath(os.fsdecode(dest_path)))
    return None


def _mode(dest_path: Any) -> int | None:
    try:
        return os.stat(dest_path).st_mode
    except (OSError, ValueError, TypeError):
        return None
