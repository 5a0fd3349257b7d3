# SPDX-License-Identifier: Apache-2.0
"""Faults written by hand in the old names: the service and what it translates, and its clients."""

from __future__ import annotations

from mutants import Mutant

IN_LEGACY = (
    Mutant(
        'wrong purge default', 'legacy/services.py',
        'purge_props = bool(purge_props) and not has_data(data)', 'purge_props = bool(purge_props)',
        'an old update with data removes properties',
    ),
    Mutant(
        'never purging', 'legacy/services.py',
        '        purge = bool(purge_props) and not has_data(data)\n', '        purge = False\n',
        'an old update keeps what it should remove',
    ),
    Mutant(
        'swapped location flags', 'legacy/service.py',
        'return self._out(api.get(context, ref, include_locations, show_deleted), include_locations)',
        'return self._out(api.get(context, ref, show_deleted, include_locations), include_locations)',
        'show passes its two flags in the wrong order',
    ),
    Mutant(
        'filters not narrowed', 'legacy/service.py',
        "            known['filters'] = self._filters(known['filters'])\n", '            pass\n',
        'a filter that v1 ignored selects by a custom property',
    ),
    Mutant(
        'sort key lost', 'legacy/translation.py',
        "LIST_PARAMS = ('filters', 'marker', 'limit', 'page_size', 'sort_key', 'sort_dir')",
        "LIST_PARAMS = ('filters', 'marker', 'limit', 'page_size', 'sort_dir')",
        'a listing is in another order',
    ),
    Mutant(
        'public by default', 'legacy/translation.py',
        "asked['filters'].setdefault('is_public', 'none')", "asked['filters'].setdefault('is_public', 'true')",
        'a listing leaves out what is not public',
    ),
    Mutant(
        "caller's filters changed", 'legacy/translation.py',
        "    asked['filters'] = dict(filters.items()) if filters else {}\n    asked['filters'].setdefault",
        "    asked['filters'] = filters if filters else {}\n    asked['filters'].setdefault",
        "the caller's filters get an entry",
    ),
    Mutant(
        'size stays None', 'legacy/translation.py',
        "        output['size'] = 0\n", '        pass\n',
        'a queued image has no size',
    ),
    Mutant(
        'shallow copy', 'legacy/translation.py',
        '    metadata = copy.deepcopy(metadata)\n', '    metadata = copy.copy(metadata)\n',
        "the caller's properties are converted in place",
    ),
    Mutant(
        'None is no text', 'legacy/service.py',
        "    if value is None and name not in _NONE_SPEAKS:\n        return 'None'\n", '',
        'a property of None is removed instead of stored',
    ),
    Mutant(
        'other owner rule', 'legacy/translation.py',
        "        for key in ('owner_id', 'project_id'):\n            if key in properties:\n                return str(properties[key]) == str(context.project_id)",
        "        for key in ('project_id', 'owner_id'):\n            if key in properties:\n                return str(properties[key]) == str(context.project_id)",
        'the wrong one of two properties decides who sees an image',
    ),
    Mutant(
        'unknown key accepted', 'legacy/services.py',
        '        if name not in known:\n', '        if not name:\n',
        'an unknown key is no TypeError',
    ),
    Mutant(
        'other error from a delete', 'legacy/faults.py',
        'known = {Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT}', 'known = {Kind.FORBIDDEN, Kind.NOT_FOUND}',
        'a conflict is no ImageDeleteConflict',
    ),
    Mutant(
        'error without its cause', 'legacy/faults.py',
        'raise new.with_traceback(current.__traceback__) from current', 'raise new.with_traceback(current.__traceback__) from None',
        "the client's error is not chained",
    ),
    Mutant(
        'half of the href', 'legacy/factories.py',
        "    return service_class()(client=client), image_id\n", "    return service_class()(), image_id\n",
        'a reference to another server is read on the configured one',
    ),
    Mutant(
        'purging by hand-over', 'legacy/factories.py',
        'self.image_stream, purge_props=False)', 'self.image_stream, purge_props=True)',
        'an update that was held back removes properties',
    ),
    Mutant(
        'API forgets data', 'legacy/api.py',
        'return self._get_session(context).create(context, image_info, data=data)', 'return self._get_session(context).create(context, image_info)',
        'a create through the API class sends no data',
    ),
    Mutant(
        'https on 80', 'legacy/trust.py',
        'port = 443 if use_ssl else port', 'port = 80 if use_ssl else port',
        'a reference with https and no port goes to another port',
    ),
    Mutant(
        'one server only', 'legacy/urls.py',
        '    glance.random.shuffle(servers)\n    return itertools.cycle(servers)', '    return itertools.cycle(servers)',
        'everybody asks the first of the servers',
    ),
    Mutant(
        'trusted too much', 'legacy/trust.py',
        'return credentials_withheld(not _is_known(context, href))', 'return credentials_withheld(False)',
        'a server that only a reference names sees the credential',
    ),
)  # fmt: skip

IN_CLIENTS = (
    Mutant(
        'attempts off by one', 'legacy/wrapper.py',
        'attempts = 1 + settings().num_retries', 'attempts = max(1, settings().num_retries)',
        'one attempt fewer',
    ),
    Mutant(
        'no rewind', 'legacy/wrapper.py',
        'last = attempt == attempts or not body.rewind()', 'last = attempt == attempts',
        'a second attempt sends the rest of the data only',
    ),
    Mutant(
        'no sleep', 'legacy/wrapper.py',
        '                glance.time.sleep(1)\n', '',
        'a server that fails is asked again at once',
    ),
    Mutant(
        'keywords of before', 'legacy/wrapper.py',
        "args += tuple(kwargs.pop('args', None) or ())", "kwargs.pop('args', None)",
        'arguments given as args= are lost',
    ),
    Mutant(
        'filters used up', 'legacy/wrapper.py',
        "return {**kwargs, 'filters': dict(filters)} if isinstance(filters, dict) else kwargs", 'return kwargs',
        'the client takes filters out of the dict that the next attempt sends',
    ),
    Mutant(
        'lazy listing', 'legacy/wrapper.py',
        'return list(result) if is_generator(result) else result', 'return result',
        'errors of a listing come when nobody tries again',
    ),
    Mutant(
        'stale client', 'legacy/wrapper.py',
        'client = self.client or self._create_onetime_client(context, version)',
        'client = self.client = self.client or self._create_onetime_client(context, version)',
        'the client of the first caller serves the next one',
    ),
    Mutant(
        'wrong default version', 'legacy/wrapper.py',
        'DEFAULT_VERSION: Final = _Default(1)', 'DEFAULT_VERSION: Final = _Default(2)',
        'a wrapper for a host speaks v2',
    ),
    Mutant(
        'deleted shown', 'legacy/clients.py',
        "if not show_deleted and getattr(image, 'deleted', False):", "if show_deleted and getattr(image, 'deleted', False):",
        'show_deleted means its opposite',
    ),
    Mutant(
        'listing of everybody', 'legacy/clients.py',
        '            for image in found\n            if glance._is_image_available(context, image)\n', '            for image in found\n',
        'a listing shows a caller without a token what is not theirs',
    ),
    Mutant(
        'plain table', 'legacy/clients.py',
        '        with _image_errors(image_id):\n            chunks = self.call', '        with _plain_errors():\n            chunks = self.call',
        'a download of an absent image is no ImageNotFound',
    ),
    Mutant(
        'other version', 'legacy/clients.py',
        '        if include_locations:\n            return self.client.call(context, 2,', '        if include_locations:\n            return self.client.call(context, 1,',
        'locations are asked of v1, which has none',
    ),
    Mutant(
        'member first', 'legacy/clients.py',
        "controller='image_members', args=(image_id, member)", "controller='image_members', args=(member, image_id)",
        'image and member are swapped',
    ),
    Mutant(
        'one request saved', 'legacy/clients.py',
        "        self.call(context, 'upload', image_id, data)\n        return self.call(context, 'get', image_id)",
        "        return self.call(context, 'upload', image_id, data)",
        'the record after an upload is not asked for',
    ),
    Mutant(
        'id sent', 'legacy/clients.py',
        "        sent.pop('id', None)\n        location", '        location',
        'an update through v2 sends the id as a field',
    ),
    Mutant(
        'reserved purged', 'legacy/clients.py',
        'if name not in sent and not name.startswith(RESERVED_PREFIX)', 'if name not in sent',
        'a purge asks for os_glance_* to be removed',
    ),
    Mutant(
        'no headers', 'legacy/connect.py',
        "        params['identity_headers'] = headers\n    if endpoint", '        pass\n    if endpoint',
        'a client of 13 is made without the identity',
    ),
    Mutant(
        'project for user', 'legacy/connect.py',
        "'X-User-Id': _first(context, 'user_id', 'user'),", "'X-User-Id': _first(context, 'project_id', 'tenant'),",
        'another user asks',
    ),
    Mutant(
        'insecure', 'legacy/connect.py',
        "params: dict[str, Any] = {'insecure': now.insecure, 'ssl_compression': False}", "params: dict[str, Any] = {'insecure': True, 'ssl_compression': False}",
        'certificates are not looked at',
    ),
    Mutant(
        'sharing lost', 'legacy/inside_v2.py',
        '        if member:\n            self._add_image_member(context, image_id, member)\n', '',
        'a snapshot for a customer is not shared with them',
    ),
    Mutant(
        'rewind taken on trust', 'legacy/rewind.py',
        'return repeatable and self._source.rewind(now - self._start)', 'return True',
        'a body that cannot go back is sent again',
    ),
)  # fmt: skip

FAULTS = (*IN_LEGACY, *IN_CLIENTS)
