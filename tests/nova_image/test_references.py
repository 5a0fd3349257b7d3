# SPDX-License-Identifier: Apache-2.0
"""References: every shape that any release published, and ids that must not reach a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_image import errors, parse_image_ref
from nova_image.references import check_image_id, origin, without_user


@pytest.mark.contract('C-193')
@pytest.mark.parametrize('ref', ['abc', '', None, 7])
def test_text_without_a_slash_is_an_id_returned_unchanged(ref: object) -> None:
    assert parse_image_ref(ref) == (None, ref)


@pytest.mark.contract('C-019', 'C-024', 'C-025')
@pytest.mark.parametrize(
    ('ref', 'server'),
    [
        ('http://h:9292/v1/images/ID', 'http://h:9292'),
        ('http://h:9292/v2/images/ID', 'http://h:9292'),
        ('http://h:9292/v2.1/images/ID', 'http://h:9292'),
        ('http://h:9292/images/ID', 'http://h:9292'),
        ('http://h/ID', 'http://h'),
        ('http://h:9292/glance/v2/images/ID', 'http://h:9292/glance'),
        ('https://cloud/image/images/ID', 'https://cloud/image'),
        ('http://h:9292/images/ID?x=1#y', 'http://h:9292'),
        ('http://h:9292/images/ID/', 'http://h:9292'),
    ],
)
def test_a_uri_gives_the_server_and_the_id(ref: str, server: str) -> None:
    assert parse_image_ref(ref) == (server, 'ID')


@pytest.mark.contract('C-020', 'C-022')
def test_https_means_443_and_an_ipv6_host_keeps_its_brackets() -> None:
    server = parse_image_ref('https://[::1]/images/ID').server
    assert server == 'https://[::1]'
    assert origin(server) == ('https', '::1', 443)


@pytest.mark.contract('C-195', 'C-023')
@pytest.mark.parametrize(
    'ref', ['http://h:port/images/ID', 'http://h:99999/images/ID', 'a/b', '/', '//x', '/ID', 'ftp://h/ID', 'http:///ID', 'http://h/', 'http://[::1/ID']
)
def test_what_names_no_server_and_image_is_an_invalid_reference(ref: str) -> None:
    with pytest.raises(errors.InvalidImageRef, match='Invalid image href'):
        parse_image_ref(ref)


@pytest.mark.contract('C-094', 'C-093')
@pytest.mark.parametrize('image_id', [None, '', '.', '..', 'a/b', 'a?b', 'a#b', 'a%2fb', 'a\nb', 'x/../y'])
def test_an_unsafe_id_is_not_found_without_a_request(image_id: str | None) -> None:
    with pytest.raises(errors.ImageNotFound) as caught:
        check_image_id(image_id)
    assert caught.value.kwargs['image_id'] == image_id


@given(st.text())
def test_parsing_any_text_ends_in_a_reference_or_the_typed_error(text: str) -> None:
    try:
        server, image_id = parse_image_ref(text)
    except errors.InvalidImageRef:
        return
    assert (server is None) == ('/' not in text)
    assert '/' not in image_id


@pytest.mark.parametrize(
    ('url', 'bare'),
    [
        ('https://user:secret@h:1/p', 'https://h:1/p'),
        ('http://u@[::1]:9292', 'http://[::1]:9292'),
        ('http://a@b:p@h/@x', 'http://h/@x'),
        ('http://h/p//a@b', 'http://h/p//a@b'),
        ('http://[broken', 'http://[broken'),
    ],
)
def test_a_user_is_cut_out_of_an_address_and_nothing_else(url: str, bare: str) -> None:
    assert without_user(url) == bare
