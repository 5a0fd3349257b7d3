# SPDX-License-Identifier: Apache-2.0
"""A reference that names no server is refused in the caller's own words, on the old path as on the new."""

from __future__ import annotations

import types
import warnings

import pytest

import nova_image
from legacy import glance
from nova_image import errors

CTX = types.SimpleNamespace(auth_token='t', is_admin=False, project_id='p', user_id='u', roles=[])


@pytest.mark.contract('C-195')
@pytest.mark.parametrize('href', ['a/b', '/x', 'http:///images/x'])
def test_the_error_names_the_reference_as_it_was_given(href: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with pytest.raises(errors.InvalidImageRef) as old:
            glance.API().get(CTX, href)
        service, image_id = glance.get_remote_image_service(CTX, href)
        with pytest.raises(errors.InvalidImageRef) as older:
            service.show(CTX, image_id)
    with pytest.raises(errors.InvalidImageRef) as new:
        nova_image.API().get(CTX, href)
    assert str(old.value) == str(older.value) == str(new.value)
    assert href in str(new.value)
    assert type(old.value) is type(new.value)
