# SPDX-License-Identifier: Apache-2.0
"""Faults that no detector finds, each with the reason.

*Equivalent* ones change nothing that a caller, a server or a file could show. The others are real and are overlooked
by the three judges; most of them are noticed by a unit test, and the reason says what a judge would need.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Survivor:
    """Why a fault is not found.

    :ivar name: of a fault written by hand; of a seeded one the file and function
    :ivar change: part of a seeded one's new text
    """

    name: str
    change: str
    why: str
    equivalent: bool = False

    def covers(self, name: str) -> bool:
        """Whether it is about the fault of that name."""
        if not self.change:
            return name == self.name
        return name.startswith(f'{self.name}: ') and self.change in name.partition(' -> ')[2]


_TIME = 'no judge waits for a limit of seconds; tests/nova_image/glance/test_glance_limits.py does'
_POWER = 'what is on disk when the power fails is asked by the crash sweeps, not by these judges'
_V2_CLIENT = (
    "no recording has this call of v2's client, which is newer than they are, and the twins around a client of the "
    "caller's own have v1's; tests/legacy/test_contract_clients.py makes it"
)
_WORDS = 'only the words of a message, which every comparison leaves to the side that says them (C-190)'
_IDENTITY = 'who may see which token is asked with a real Keystone (TestGlanceWithKeystone), which is not started here'

EQUIVALENT = (
    Survivor(
        'nova_image/transfer/syncing.py sync_directory', "'O_DIRECTORY', -1",
        'the default is for systems without O_DIRECTORY, on which the package does not run', True,
    ),
    Survivor(
        'nova_image/transfer/download.py _Transfer.__init__', 'self._is_written = True',
        'set again at the start of each body, before it is read', True,
    ),
    Survivor(
        'nova_image/glance/retries.py persistently', 'attempt != attempts',
        'an attempt is never above the last one', True,
    ),
    Survivor(
        'legacy/clients.py OldClientDriver._reraise_listing', 'ours == error', 'errors are equal to themselves only', True
    ),
    Survivor(
        'legacy/wrapper.py GlanceClientWrapper.__init__', 'self._made = True',
        'read only beside a client, and whatever sets a client sets it', True,
    ),
)  # fmt: skip

OVERLOOKED = (
    Survivor('nova_image/transfer/stalling.py Progress.restart', 'self.moved = 1', _TIME),
    Survivor(
        'nova_image/local/formats.py _first_look', 'head[: 513]',
        'needs a text whose 513th byte is the first that is none',
    ),
    Survivor('nova_image/local/rules.py check_properties', '[: 41]', _WORDS),
    Survivor(
        'legacy/wrapper.py GlanceClientWrapper.__init__', 'if not version is DEFAULT_VERSION',
        'the default is an int as it is, and no recorded version is anything else',
    ),
    Survivor(
        "the service's own purged", '',
        'os_glance_* properties appear while a service copies between stores; no recording and no suite has one',
    ),
    Survivor(
        "caller's dict changed", '',
        "the copy protects callers from drivers that change what they get; none of ours does but for a v2 client's "
        'instance_owner, and ' + _V2_CLIENT,
    ),
    Survivor('local time', '', 'every Glance says Z; a time without a zone is made up by a unit test only'),
    Survivor('dots as an id', '', 'a server has no image of that id either, so the answer is the same'),
    Survivor(
        'short file accepted', '',
        'a body that ends early is noticed by its announced length or by its hash before; only one without both is not',
    ),
    Survivor(
        'upload not verified', '', 'needs a server that stores other bytes than it was sent, which none of the judges is'
    ),
    Survivor(
        'bytes of others deleted', '',
        'a content is marked only when its last image goes; the second look is for an upload between the two '
        'transactions, which tests/nova_image/local/test_local_under_fire.py makes happen',
    ),
    Survivor('member first', '', _V2_CLIENT),
    Survivor('reserved purged', '', _V2_CLIENT),
    Survivor('sharing lost', '', 'a private step that only forks call; ' + _V2_CLIENT),
    Survivor(
        'error without its cause', '', 'the recordings are from Python 2, where errors had no cause, and on both sides of '
        "a twin around a client the same function chains",
    ),
    Survivor(
        'nova_image/settings.py Settings._api_servers', "or self.value('glance', 'endpoint_override')",
        'an endpoint_override that is set to nothing is in no recorded configuration',
    ),
    Survivor(
        'nova_image/settings.py as_url', "not url.endswith('://')",
        'the recorded servers have no user, and a slash at their end is taken off again by the driver',
    ),
    Survivor(
        'nova_image/transfer/upload.py Upload.digest', 'left <= 0',
        'asked only where a service keeps another hash than MD5 and SHA-512, which none here does',
    ),
    Survivor(
        'nova_image/transfer/download.py _apply_no_hash_policy', "not settings.no_hash != 'accept'",
        'a warning about images without a hash, which both paths log or neither',
    ),
    Survivor(
        'nova_image/transfer/bodies.py Expected.from_record', 'if not known else None',
        'the MD5 then judges in place of the SHA-512, and notices the same flipped byte',
    ),
    Survivor(
        'nova_image/transfer/sources.py _File.__init__', 'self.repeatable = self.size is None',
        'an upload that fails after its body was read and is repeated is in one recorded case, with another kind of body',
    ),
    Survivor('nova_image/transfer/syncing.py sync', 'descriptor is not None', _POWER),
    Survivor(
        'nova_image/glance/retries.py persistently', 'again is not None and _is_of_this_host',
        'a file of certificates that is not there: no judge speaks TLS',
    ),
    Survivor('nova_image/glance/session.py session_for', 'not settings.certfile', 'no judge asks for client certificates'),
    Survivor('nova_image/glance/session.py _service_user', 'for group in []', _IDENTITY),
    Survivor('nova_image/glance/servers.py _catalogue_urls', 'not auth is not None', _IDENTITY),
    Survivor('nova_image/glance/body.py WireBody._cut', '^ self.offset', _WORDS),
    Survivor(
        'nova_image/glance/servers.py Servers.first', '[ -1]',
        'the address of an image where several servers are configured is asked of the old function only',
    ),
    Survivor('nova_image/glance/limits.py Limits.head_begins', '-1.0', _TIME),
    Survivor('nova_image/glance/limits.py Limits._within', 'left == 0', _TIME),
    Survivor('nova_image/glance/wire.py _Client._handle_response', 'not current is not None', _TIME),
    Survivor(
        'nova_image/glance/retries.py is_lost', 'not isinstance(cause',
        'whether a lost creation is sent again under an id of ours shows only where the server did make it',
    ),
    Survivor(
        'nova_image/glance/body.py WireBody.close', 'and  self._decode',
        'a connection is closed instead of used again: the same requests, a little later',
    ),
    Survivor(
        'nova_image/glance/wire.py Wire._exchange', 'not self._request_id',
        "the callers of programs have no request id, and the replay does not look at the header",
    ),
    Survivor(
        'nova_image/glance/servers.py Health.answered', 'not self._failed_at',
        'a server that is back is asked last for a minute: one of several servers is as good as another to the replay',
    ),
    Survivor(
        'nova_image/local/store.py Store.abandon_upload', 'not staging.published',
        'needs a row that cannot be committed after its content was placed; the crash sweeps make that',
    ),
    Survivor(
        'legacy/api.py API.update', "or 'update' not in vars(service)",
        'needs a replaced factory behind the API class, and an update through it',
    ),
    Survivor(
        'legacy/direct.py _fetcher', 'not type(handler) is file.FileTransfer',
        'the built-in handler and its wrapper bring the same bytes; holes and links are asked by unit tests',
    ),
    Survivor(
        'legacy/clients.py OldClientDriver.download', 'try_again=True',
        'a second try of chunks that are used up fails as the first did; only the pause shows',
    ),
    Survivor('legacy/wrapper.py GlanceClientWrapper._tell_failure', "if not last else 'retrying'", _WORDS),
    Survivor(
        'legacy/service.py _plain_id', 'rpartition(\'/\')[ 3]',
        'an href in place of an id (C-208) is in programs of the wide grammar, seldom enough to miss the sample',
    ),
    Survivor(
        'legacy/wrapper.py GlanceClientWrapper._use_endpoint', 'None, True',
        'an attribute of a wrapper whose endpoint has no usable port; the connection fails either way',
    ),
    Survivor(
        'legacy/connect.py _client', 'int(version) == 0',
        "v1's calls on a real client: the replay replaces the client's class (tests/legacy/test_v1_real.py does not)",
    ),
)  # fmt: skip


def explained(name: str) -> Survivor | None:
    """The explanation of a survivor, if there is one."""
    return next((each for each in (*EQUIVALENT, *OVERLOOKED) if each.covers(name)), None)
