# SPDX-License-Identifier: Apache-2.0
"""A refusal of the local store is the error that the Glance driver makes of the same status."""

from __future__ import annotations

from typing import Any

import pytest
from glanceclient import exc as glance

from nova_image.glance import translate
from nova_image.local import answers
from nova_image.local.refusals import Refused

THEIRS: dict[int, Any] = {
    400: glance.HTTPBadRequest,
    403: glance.HTTPForbidden,
    404: glance.HTTPNotFound,
    409: glance.HTTPConflict,
    413: glance.HTTPOverLimit,
    415: glance.HTTPException,
    500: glance.HTTPInternalServerError,
}
TABLES = {
    'plain': (answers.PLAIN, translate.PLAIN),
    'listing': (answers.LISTING, translate.LISTING),
    'image': (answers.IMAGE, translate.IMAGE),
    'delete': (answers.DELETE, translate.DELETE),
    'import': (answers.IMPORT, translate.IMPORT),
}


@pytest.mark.contract('C-188', 'C-299', 'C-310')
@pytest.mark.parametrize('status', THEIRS)
@pytest.mark.parametrize('table', TABLES)
def test_both_drivers_raise_the_same_class(table: str, status: int) -> None:
    ours, theirs = TABLES[table]
    expected = translate.translate(THEIRS[status]('why'), theirs, 'an-id')
    made = answers.error_for(Refused(status, 'why'), ours, 'an-id')
    assert type(made).__mro__ == type(expected).__mro__
    if status != 415:  # the client library has no class of its own for it, and no number
        assert made.code == expected.code


def test_the_refusal_is_chained() -> None:
    with pytest.raises(Exception, match='an-id') as caught, answers.answering(answers.IMAGE, 'an-id'):
        raise Refused(404, 'why')
    assert isinstance(caught.value.__cause__, Refused)
