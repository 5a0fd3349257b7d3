# SPDX-License-Identifier: Apache-2.0
"""A refusal of the local store is the error that the Glance driver makes of the same status."""

from __future__ import annotations

from typing import Any

import pytest
from glanceclient import exc as glance

from nova_image import answers
from nova_image.glance import translate
from nova_image.local.refusals import Refused, answering, error_for

THEIRS: dict[int, Any] = {
    400: glance.HTTPBadRequest,
    401: glance.HTTPUnauthorized,
    403: glance.HTTPForbidden,
    404: glance.HTTPNotFound,
    409: glance.HTTPConflict,
    413: glance.HTTPOverLimit,
    415: glance.HTTPException,
    500: glance.HTTPInternalServerError,
}
TABLES = ('PLAIN', 'LISTING', 'IMAGE', 'DELETE', 'IMPORT')


@pytest.mark.contract('C-188', 'C-299', 'C-310')
@pytest.mark.parametrize('status', THEIRS)
@pytest.mark.parametrize('name', TABLES)
def test_a_status_means_the_same_to_both_drivers(name: str, status: int) -> None:
    table = getattr(answers, name)
    expected = translate.translate(THEIRS[status]('why'), table, 'an-id')
    made = error_for(Refused(status, 'why'), table, 'an-id')
    assert type(made).__mro__ == type(expected).__mro__
    assert made.code == expected.code


def test_the_refusal_is_chained() -> None:
    with pytest.raises(Exception, match='an-id') as caught, answering(answers.IMAGE, 'an-id'):
        raise Refused(404, 'why')
    assert isinstance(caught.value.__cause__, Refused)
