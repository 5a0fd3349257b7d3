# SPDX-License-Identifier: Apache-2.0
"""Faults written by hand in the new packages: the top level with its transfers, the Glance driver, the local store."""

from __future__ import annotations

from mutants import Mutant

IN_TOP_LEVEL = (
    Mutant(
        'lost filter', 'nova_image/api.py',
        "'filters': dict(filters) if filters else None,", "'filters': None,",
        'a listing is not filtered',
    ),
    Mutant(
        'availability not applied', 'nova_image/api.py',
        'return [record for record in records if driver.is_available(context, record)]', 'return list(records)',
        'a listing shows a caller without a token what is not theirs',
    ),
    Mutant(
        'swapped target', 'nova_image/api.py',
        'return driver.download(context, image_id, data, dest_path or None, trusted_certs, server=server)',
        'return driver.download(context, image_id, dest_path or None, data, trusted_certs, server=server)',
        'path and object to write to are swapped',
    ),
    Mutant(
        'always purging', 'nova_image/api.py',
        '_own(image_info), _body(data), bool(purge_props), server=server', '_own(image_info), _body(data), True, server=server',
        'an update removes properties that nobody asked to remove',
    ),
    Mutant(
        "caller's dict changed", 'nova_image/api.py',
        'return copy.deepcopy(dict(image_info))', 'return image_info',
        'the metadata of a caller are worked on in place',
    ),
    Mutant(
        'zero bytes as data', 'nova_image/api.py',
        "return data is not None and (bool(data) or hasattr(data, 'read'))", 'return data is not None',
        'empty text counts as data to upload',
    ),
    Mutant(
        'public for nobody', 'nova_image/images.py',
        "if word in ('true', '1'):", "if word in ('1',):",
        'the filter is_public true is lost',
    ),
    Mutant(
        'not public is private', 'nova_image/images.py',
        "if change.hide and current.get('visibility') == 'public':", 'if change.hide:',
        'is_public false takes a shared image from those it is shared with',
    ),
    Mutant(
        'owner from anybody', 'nova_image/images.py',
        "if 'owner' in fields and not getattr(context, 'is_admin', False):", "if 'owner' in fields and context is None:",
        'whoever is no administrator names an owner',
    ),
    Mutant(
        'JSON stays text', 'nova_image/images.py',
        'return json.loads(value)\n', 'return value\n',
        'block_device_mapping is handed out as text',
    ),
    Mutant(
        "the service's own purged", 'nova_image/images.py',
        'if key in BASE_FIELDS or key in change.properties or key.startswith(RESERVED_PREFIX):',
        'if key in BASE_FIELDS or key in change.properties:',
        'a purge touches os_glance_* and is refused',
    ),
    Mutant(
        'local time', 'nova_image/images.py',
        'return parsed.replace(tzinfo=datetime.UTC)', 'return parsed.astimezone(datetime.UTC).replace(tzinfo=None)',
        'times without a zone are handed out naive',
    ),
    Mutant(
        'port lost', 'nova_image/references.py',
        "        host = f'{host}:{port}'\n", "        host = f'{host}'\n",
        'a reference with a port leads to another server',
    ),
    Mutant(
        'dots as an id', 'nova_image/references.py',
        "text in ('', '.', '..')", "text in ('',)",
        'two dots as an id reach the server',
    ),
    Mutant(
        'other error class', 'nova_image/api.py',
        'raise errors.joined(errors.InvalidImageRef, errors.ImageNotFound)(image_href=ref) from exc', 'raise',
        'an id with a slash is no longer "not found"',
    ),
    Mutant(
        'short file accepted', 'nova_image/transfer/checks.py',
        'if whole is not None and self.position < whole:', 'if whole is not None and self.position < 0:',
        'a download that ended early is taken for whole',
    ),
    Mutant(
        'hash not compared', 'nova_image/transfer/checks.py',
        'if best is not None and digests[best[0]] != best[1]:', 'if best is None and digests[best[0]] != best[1]:',
        'altered bytes are handed out',
    ),
    Mutant(
        'missing rewind', 'nova_image/transfer/upload.py',
        '            if not self._source.rewind(self._pulled):\n                return False\n            self._forget()',
        '            self._forget()',
        'a second attempt sends the rest of the data only',
    ),
    Mutant(
        'bad file published', 'nova_image/transfer/download.py',
        '            self._target.discard()\n            raise\n        finally:', '            self._target.commit()\n            raise\n        finally:',
        'bytes that failed a check stand under the path',
    ),
    Mutant(
        'unclosed body', 'nova_image/transfer/download.py',
        '                if body is not None:\n                    body.close()\n            body = None', '                pass\n            body = None',
        'the answer of a server or the file of the store stays open',
    ),
)  # fmt: skip

IN_GLANCE = (
    Mutant(
        'off by one page', 'nova_image/glance/listing.py',
        'if page.next and (wanted is None or have < wanted):', 'if page.next and (wanted is None or have <= wanted):',
        'one page more is asked for than needed',
    ),
    Mutant(
        'one too many', 'nova_image/glance/listing.py',
        'return found[:wanted]', 'return found[: wanted + 1]',
        'more images than the limit',
    ),
    Mutant(
        'marker lost', 'nova_image/glance/listing.py',
        "params.append(('marker', self.marker))", "params.append(('mark', self.marker))",
        'a listing begins at the start again',
    ),
    Mutant(
        'sort swapped', 'nova_image/glance/listing.py',
        "(('sort_key', self.sort_key), ('sort_dir', self.sort_dir))", "(('sort_key', self.sort_dir), ('sort_dir', self.sort_key))",
        'key and direction are swapped',
    ),
    Mutant(
        'extra request', 'nova_image/glance/driver.py',
        '        wire.delete(image_path(image_id))\n        return True', '        wire.get(image_path(image_id))\n        wire.delete(image_path(image_id))\n        return True',
        'a delete asks for the image first',
    ),
    Mutant(
        'other table', 'nova_image/glance/driver.py',
        '@translate.image_errors(answers.DELETE)', '@translate.image_errors(answers.IMAGE)',
        'errors of a delete are of other classes',
    ),
    Mutant(
        'location lost', 'nova_image/glance/driver.py',
        '        if change.location:\n            made = _add_location(wire, made, change.location)\n', '',
        'a create does not register the location',
    ),
    Mutant(
        'half an image stays', 'nova_image/glance/driver.py',
        '            _delete_even_protected(wire, image_path(image_id))\n', '            pass\n',
        'a failed create leaves an image behind',
    ),
    Mutant(
        'upload not verified', 'nova_image/glance/driver.py',
        '    stored = wire.get(image_path(image_id))\n    transfer.check_upload(body, stored)\n    return stored',
        '    return wire.get(image_path(image_id))',
        'bytes that did not all arrive are taken for stored',
    ),
    Mutant(
        'empty image not made', 'nova_image/glance/driver.py',
        'return type(change.size) is int and change.size == 0 and not', 'return type(change.size) is int and change.size == 1 and not',
        'size 0 makes no active image',
    ),
    Mutant(
        'one attempt fewer', 'nova_image/glance/retries.py',
        'attempts = 1 + max(0, retries)', 'attempts = max(1, retries)',
        'num_retries counts attempts',
    ),
    Mutant(
        'no pause', 'nova_image/glance/retries.py',
        '                time.sleep(pause)\n                continue', '                continue',
        'a server that fails is asked again at once',
    ),
    Mutant(
        'same server again', 'nova_image/glance/servers.py',
        '        HEALTH.failed(server)\n        self._server = None', '        HEALTH.failed(server)',
        'the next attempt goes to the server that failed',
    ),
    Mutant(
        'no second try for a body', 'nova_image/glance/wire.py',
        '        if not self._body.rewind():\n            raise errors.joined', '        if self._failed_before:\n            raise errors.joined',
        'an upload that could be repeated is given up',
    ),
    Mutant(
        'token to strangers', 'nova_image/glance/servers.py',
        '                LOG.warning(WITHHELD, without_user(server))\n                auth = None', '                LOG.warning(WITHHELD, without_user(server))',
        'a server that only a reference names sees the credential',
    ),
    Mutant(
        'token lost', 'nova_image/glance/session.py',
        'user = token_endpoint.Token(None, str(token))', "user = token_endpoint.Token(None, 'token')",
        'requests carry another token than the context',
    ),
    Mutant(
        'certificate not looked at', 'nova_image/glance/session.py',
        'False if settings.insecure else (settings.cafile or True)', 'False if settings.insecure else (settings.cafile or False)',
        'TLS without verification',
    ),
    Mutant(
        'no data is no error', 'nova_image/glance/body.py',
        'if response.status_code == 204:', 'if response.status_code == 205:',
        'an image without data downloads as empty',
    ),
    Mutant(
        'wrong media type', 'nova_image/glance/wire.py',
        "_PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'", "_PATCH_TYPE = 'application/json'",
        'a server does not understand the patch',
    ),
)  # fmt: skip

IN_LOCAL = (
    Mutant(
        'lost filter in the store', 'nova_image/local/driver.py',
        'found = query.conditions(asked.params, who, drop_public=asked.drop_public)', 'found = query.conditions((), who, drop_public=asked.drop_public)',
        'a listing is not filtered',
    ),
    Mutant(
        'off by one limit', 'nova_image/local/driver.py',
        '{-1 if most is None else most}', '{-1 if most is None else most + 1}',
        'more images than the limit',
    ),
    Mutant(
        'marker included', 'nova_image/local/query.py',
        """'{_filled(key)} {"<" if direction == "desc" else ">"} ?'""", """'{_filled(key)} {"<=" if direction == "desc" else ">="} ?'""",
        'the marker is listed again',
    ),
    Mutant(
        'oldest first', 'nova_image/local/query.py',
        "    directions = directions or ['desc']", "    directions = directions or ['asc']",
        'another order without sort keys',
    ),
    Mutant(
        'open to strangers', 'nova_image/local/rules.py',
        "(row['visibility'] == 'shared' and is_member)", "row['visibility'] == 'shared'",
        'shared images are seen by those they are not shared with',
    ),
    Mutant(
        'everybody publishes', 'nova_image/local/rules.py',
        "if visibility == 'public' and not who.is_admin:", "if visibility == 'publik' and not who.is_admin:",
        'anybody makes an image public',
    ),
    Mutant(
        'strangers delete', 'nova_image/local/driver.py',
        "            rules.check_may_change(who, row)\n            if row['protected']:", "            if row['protected']:",
        'an image is deleted by somebody else',
    ),
    Mutant(
        'protection forgotten', 'nova_image/local/driver.py',
        "            if row['protected']:\n                raise Refused(403, f'Image {wanted} is protected and cannot be deleted.')\n", '',
        'a protected image is deleted',
    ),
    Mutant(
        'other status', 'nova_image/local/driver.py',
        "raise Refused(400, f'No image found with ID {image_id}, the marker') from exc", "raise Refused(404, f'No image found with ID {image_id}, the marker') from exc",
        'an absent marker raises another class',
    ),
    Mutant(
        'bytes of others deleted', 'nova_image/local/store.py',
        "            if not connection.execute('SELECT 1 FROM locations WHERE digest = ?', (digest,)).fetchone():\n                self.contents.remove(digest)",
        '            self.contents.remove(digest)',
        'content that another image has, too, goes with the first',
    ),
    Mutant(
        'second upload', 'nova_image/local/store.py',
        "if row['status'] != 'queued':", "if row['status'] == 'saving':",
        'an active image takes new bytes',
    ),
    Mutant(
        'failed upload stays', 'nova_image/local/driver.py',
        'store.abandon_upload(image_id, staging, remove=True)', 'pass',
        'a create that failed leaves an image behind',
    ),
    Mutant(
        'length not looked at', 'nova_image/local/contents.py',
        '        if found != size:\n', '        if found < 0:\n',
        'a content file that was cut is not called damaged',
    ),
    Mutant(
        'unclosed file', 'nova_image/local/contents.py',
        '        staging.close()\n\n    def place', '\n    def place',
        'each upload leaves a file open',
    ),
    Mutant(
        'reserved names', 'nova_image/local/rules.py',
        "        if name in RESERVED or name.startswith(RESERVED_PREFIX):\n            raise Refused(403, f\"Attribute '{name}' is reserved.\")\n        if not isinstance(value, str):",
        '        if not isinstance(value, str):',
        "the service's own properties can be set",
    ),
)  # fmt: skip

FAULTS = (*IN_TOP_LEVEL, *IN_GLANCE, *IN_LOCAL)
