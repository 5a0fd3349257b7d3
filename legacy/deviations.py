# SPDX-License-Identifier: Apache-2.0
"""Where this package differs from the original on purpose (D-19).

Each entry computes the answer that stands in place of the recorded one; the replay compares with that
and counts. A difference that no entry computes is a bug. The guide's table is made from this list; the
computations are in ``legacy/deviating/``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from legacy.deviating import (
    failures,
    on_driver,
    programs,
    records,
    refusals,
    releases,
    servers,
    signing,
    transfers,
    uploads,
)
from legacy.deviating.programs import Rule
from legacy.deviating.recordings import DRIVER, GLANCE, LOCAL, SEAM, Answer, Replay

__all__ = ['DEVIATIONS', 'DRIVER', 'GLANCE', 'LOCAL', 'SEAM', 'Deviation', 'expectation']

#: Change ``expected`` (a copy) in place where the deviation applies.
Compute = Callable[[Replay, Answer], None]


def _nothing(replay: Replay, expected: Answer) -> None:
    """A deviation of programs only."""


def _either(*computes: Compute) -> Compute:
    """One deviation that is computed otherwise at another place."""

    def compute(replay: Replay, expected: Answer) -> None:
        for each in computes:
            each(replay, expected)

    return compute


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One deliberate difference: what, why, which statements, and the computation."""

    number: int
    what: str
    why: str
    contract: tuple[str, ...]
    #: for one case as it was recorded
    compute: Compute = _nothing
    #: for the steps of a program against a server: the first that applies to a step names its deviation
    program: tuple[Rule, ...] = ()


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        number=1,
        what='Records of the v2 classes and of API carry visibility, tags, protected and virtual_size',
        why='A record that is read, changed and written back must lose nothing that Glance knows.',
        contract=('C-108', 'C-109', 'C-312'),
        compute=_either(records.additions, on_driver.additions),
    ),
    Deviation(
        number=2,
        what='The filters and properties of a caller are never changed',
        why='A filter dict that is used twice gave another answer the second time.',
        contract=('C-069', 'C-259'),
        compute=records.untouched_arguments,
    ),
    Deviation(
        number=3,
        what='HTTP 400 about one image raises ImageBadRequest, which is an Invalid, from the v1 class too',
        why='It names the image; every release since 13 does so, and `except Invalid` still catches it.',
        contract=('C-188', 'C-301'),
        compute=_either(failures.bad_request, on_driver.refused_location),
    ),
    Deviation(
        number=4,
        what='HTTP 413 about one image raises ImageQuotaExceeded, which is the client error too',
        why='Both the old and the later `except` clauses must catch it.',
        contract=('C-299', 'C-310'),
        compute=failures.quota,
    ),
    Deviation(
        number=5,
        what='HTTP 409 on delete raises ImageDeleteConflict, which is the client error too',
        why='Both the old and the later `except` clauses must catch it.',
        contract=('C-185', 'C-299', 'C-310'),
        compute=failures.delete_conflict,
    ),
    Deviation(
        number=6,
        what='A server that only a reference names is asked without the token of the caller, with a warning',
        why='Whoever can make somebody download an href could collect tokens.',
        contract=('C-194', 'C-324'),
        compute=servers.no_token_for_strangers,
    ),
    Deviation(
        number=7,
        what='An https reference without a port means port 443; an IPv6 host without one stays whole',
        why='Port 80 never speaks TLS and the cut-off host does not exist: the request could only fail.',
        contract=('C-020', 'C-022'),
        compute=servers.https_without_port,
    ),
    Deviation(
        number=8,
        what='generate_glance_url and generate_image_url without a context name the first server, not a random one',
        why='Two URLs of one image were different texts; releases before 14 and callers compare them.',
        contract=('C-017', 'C-322'),
        compute=servers.chosen_without_chance,
    ),
    Deviation(
        number=9,
        what='Downloading an image without data raises an error that is both ImageNotFound and ImageUnacceptable',
        why='The original stumbled over None (TypeError) and could leave an empty file.',
        contract=('C-135', 'C-315'),
        compute=transfers.no_data,
        program=(programs.no_data,),
    ),
    Deviation(
        number=10,
        what='After a failed download nothing new is at the path; an older file is untouched',
        why='A partial file looks like an image to the next reader.',
        contract=('C-130', 'C-303'),
        compute=transfers.whole_or_absent,
    ),
    Deviation(
        number=11,
        what='Locations are asked of the own client of the service',
        why='A service made from a remote href asked the wrong server.',
        contract=('C-124',),
        compute=transfers.own_client_for_locations,
    ),
    Deviation(
        number=12,
        what='A download that fails while it is written is logged at ERROR by the v1 class too',
        why='Every release since 12 says which path failed and why.',
        contract=('C-131', 'C-206'),
        compute=transfers.failed_write_is_logged,
    ),
    Deviation(
        number=13,
        what='An id that cannot be one is ImageNotFound without a request; of a full href the last segment counts',
        why='Such an id went into the URL as it was: a delete of "x/../<id>" deleted <id>.',
        contract=('C-093', 'C-094', 'C-208'),
        compute=_either(refusals.strange_ids, on_driver.ids_are_text),
        program=(programs.references,),
    ),
    Deviation(
        number=14,
        what='The availability rule reads the custom keys of a v2 model',
        why='It stumbled over every private image where the caller had no token.',
        contract=('C-089',),
        compute=refusals.v2_models_have_an_answer,
    ),
    Deviation(
        number=15,
        what='Metadata and filters of a wrong type raise BadImageInfo and BadFilter, which are the old error too',
        why='The text says what was given and what was expected.',
        contract=('C-070', 'C-266'),
        compute=_either(refusals.wrong_types_are_named, on_driver.wrong_values),
        program=(programs.wrong_types,),
    ),
    Deviation(
        number=16,
        what='Negative num_retries count as 0, with a warning',
        why='No attempt was made at all and None came back as if it were the answer.',
        contract=('C-052',),
        compute=refusals.negative_retries,
    ),
    Deviation(
        number=17,
        what='A delete translates the deprecated client classes as well as the HTTP ones',
        why='Fakes and older clients raise them, and every other method knew them.',
        contract=('C-186', 'C-191'),
        compute=failures.base_classes_count,
    ),
    Deviation(
        number=18,
        what='HTTP errors that come up while a listing is read are ours and the client error at once',
        why='They escaped raw by an accident of laziness; both generations of callers must catch them.',
        contract=('C-054', 'C-077', 'C-310'),
        compute=failures.listing,
    ),
    Deviation(
        number=19,
        what='GlanceImageService shows what the v1 object says, None where it says nothing, in every release',
        why='2014.1 is the reference of the class; 14.0.0 made 0 of a missing size and hid some checksums.',
        contract=('C-101', 'C-105'),
        compute=_either(releases.v1_records, on_driver.direct_url_where_shown),
    ),
    Deviation(
        number=20,
        what='NotAuthorized and Forbidden are one class',
        why='Old and new `except` clauses must catch the same error.',
        contract=('C-298',),
        compute=releases.one_forbidden,
    ),
    Deviation(
        number=21,
        what='get_api_servers() without a context yields (host, port, use_ssl) tuples whose text is the URL',
        why='Releases disagree; the tuple serves both kinds of callers.',
        contract=('C-036', 'C-040', 'C-309'),
        compute=releases.server_items,
    ),
    Deviation(
        number=22,
        what='Identity headers read user_id and project_id before user and tenant; roles may be missing',
        why='Contexts of later releases have no user, tenant or roles.',
        contract=('C-027', 'C-029', 'C-202'),
        compute=_either(releases.user_id_first, on_driver.poor_contexts),
    ),
    Deviation(
        number=23,
        what='A reference without a version segment names its server',
        why='generate_image_url of every release makes such references; 13 to 34 cut them to "http:/".',
        contract=('C-024', 'C-025'),
        compute=releases.both_shapes_of_url,
    ),
    Deviation(
        number=24,
        what='An update that sends data keeps the properties that it does not name, in the v2 class too',
        why='The v1 server never purged with data, and snapshots rely on it.',
        contract=('C-177', 'C-320'),
        compute=uploads.no_purge_with_data,
        program=(programs.purge_with_data,),
    ),
    Deviation(
        number=25,
        what='Empty text, bytes and lists mean no data, in the v2 class too',
        why='One meaning on all paths; an empty image is asked for by size 0.',
        contract=('C-159', 'C-254', 'C-321'),
        compute=uploads.empty_text_is_no_data,
    ),
    Deviation(
        number=26,
        what='An empty image is activated as raw, without a request for the schema',
        why='The service inspects content today and refuses an empty qcow2.',
        contract=('C-255', 'C-256'),
        compute=_either(uploads.activation_is_raw, on_driver.only_raw_is_empty),
    ),
    Deviation(
        number=27,
        what='A signature is looked up before any data is asked for; an iterator verifies as it is read; '
        'a failure leaves no emptied file or stream and is SignatureVerificationError as well as what it was',
        why='Data was requested that nobody could use, iterators came back used up, and older content was lost.',
        contract=('C-145', 'C-146', 'C-147', 'C-304'),
        compute=signing.record_before_data,
    ),
    Deviation(
        number=28,
        what='Of a filter property-x exactly the prefix is taken off',
        why='Letters of the prefix were stripped one by one: property-os_type asked for s_type and found nothing.',
        contract=('C-226',),
        compute=uploads.exact_prefix,
    ),
    Deviation(
        number=29,
        what='An image property may be called version, method, context or controller',
        why='Such a property raised TypeError, or went to another controller of the client.',
        contract=('C-055', 'C-056'),
        compute=uploads.names_do_not_clash,
    ),
    Deviation(
        number=30,
        what='The filter is_public may be a bool or None, and changes-since of any type, in the v2 class too',
        why='v1 took them; 14.0.0 stumbled before anything was asked.',
        contract=('C-228', 'C-230'),
        compute=_either(uploads.is_public_of_any_type, on_driver.not_public),
        program=(programs.filters_of_any_shape,),
    ),
    Deviation(
        number=31,
        what='Locations that are null are none, and one without metadata has none',
        why='Both stopped a download that could go on.',
        contract=('C-123', 'C-142'),
        compute=transfers.odd_locations,
    ),
    Deviation(
        number=32,
        what='A host without a port, handed to GlanceClientWrapper, is an endpoint',
        why='Port None made the address http://h:None; since 13 the argument is an endpoint.',
        contract=('C-323',),
        compute=servers.host_without_port,
    ),
    Deviation(
        number=33,
        what='An error of the client that escaped raw is one of ours and that error at once',
        why='Callers of the API need not know the client library, and old `except` clauses still catch it.',
        contract=('C-161', 'C-179', 'C-299'),
        compute=on_driver.ours_too,
        program=(programs.client_errors,),
    ),
    Deviation(
        number=34,
        what='A create that fails after its record was made takes the record away again',
        why='The caller never learns the id of the half-made image, so nobody would.',
        contract=('C-253', 'C-264'),
        compute=on_driver.taken_away,
        program=(programs.removed_again,),
    ),
    Deviation(
        number=35,
        what='A custom property of None is stored as the text None by the old names and left out by the new ones',
        why='v1 stored the text; the schema of the client refused the whole image.',
        contract=('C-241', 'C-313'),
        program=(programs.none_properties,),
    ),
    Deviation(
        number=36,
        what='kernel_id and ramdisk_id that mean none are taken away by an update',
        why='They could not be cleared at all.',
        contract=('C-242', 'C-243'),
        compute=on_driver.no_image_is_none,
        program=(programs.image_ids_of_properties,),
    ),
    Deviation(
        number=37,
        what='A property with the name of a field is left out, with a warning',
        why='It changed the field, or deleted other properties, or went to the client as an argument.',
        contract=('C-244',),
        compute=on_driver.fields_before_properties,
        program=(programs.reserved_names,),
    ),
    Deviation(
        number=38,
        what='Fields that only the service sets, and the owner that a non-admin names, are left out',
        why='So that a record can be handed back, as to v1.',
        contract=('C-247', 'C-248', 'C-312', 'C-329'),
        program=(programs.read_only_keys,),
    ),
    Deviation(
        number=39,
        what='Values that the schema of the client refused are refused by the service: Invalid, ImageBadRequest',
        why='TypeError was an accident of a library; v1 answered 400.',
        contract=('C-249', 'C-318'),
        program=(programs.client_refusals,),
    ),
    Deviation(
        number=40,
        what='is_public false on an update leaves an image alone that is not public',
        why='A shared image became private and its members lost it.',
        contract=('C-231', 'C-239'),
        program=(programs.hidden_keeps_visibility,),
    ),
    Deviation(
        number=41,
        what='Text of a JSON property that is no JSON is handed out as it is, with a warning',
        why='One such image broke every listing.',
        contract=('C-078', 'C-115'),
        compute=on_driver.text_that_is_no_json,
        program=(programs.bad_json,),
    ),
    Deviation(
        number=42,
        what='Bytes, text, lists and iterators are image data; empty ones are none',
        why='They failed after the record was made.',
        contract=('C-165', 'C-254'),
        program=(programs.data_kinds,),
    ),
    Deviation(
        number=43,
        what='copy_from and store are requests and never properties; unknown keys are refused by type',
        why='An image was made that nothing was ever copied into.',
        contract=('C-245', 'C-246', 'C-316'),
        program=(programs.other_keys,),
    ),
    Deviation(
        number=44,
        what='get_all of the new API refuses keywords it does not know; a limit that is no number is named',
        why='A misspelt keyword listed everything.',
        contract=('C-066',),
        program=(programs.list_arguments,),
    ),
    Deviation(
        number=45,
        what='The embedded store lets readers only read',
        why='Those are the default policies of Glance today; the recorded server had the older ones.',
        contract=('C-179', 'C-181'),
        program=(programs.readers_only_read,),
    ),
    Deviation(
        number=46,
        what='A read that the service answers with 500, 502 or 504 is asked again',
        why='Such an answer passes; reading twice does no harm.',
        contract=('C-048', 'C-049'),
        compute=on_driver.reads_are_repeated,
    ),
    Deviation(
        number=47,
        what='Wrong bytes raise ImageCorrupt, an OSError with EPIPE; a download that is written starts over first',
        why='The retry that later releases meant for this case never happened.',
        contract=('C-132', 'C-302'),
        compute=on_driver.cut_off,
    ),
    Deviation(
        number=48,
        what='The schema is not asked for',
        why='It costs a request for each operation and says what is known.',
        contract=('C-252',),
    ),
    Deviation(
        number=49,
        what='An upload that is tried again begins at its beginning',
        why='What was left of the stream was stored as if it were the image.',
        contract=('C-059',),
    ),
    Deviation(
        number=50,
        what='Tags are sent only when they change, and an empty list empties them',
        why='The client sent them along with every other change and could not empty them.',
        contract=('C-251', 'C-267'),
    ),
    Deviation(
        number=51,
        what='Taking a property away and putting another of the same value in is two changes',
        why='The client made a move of it, which Glance refuses.',
        contract=('C-263',),
        program=(programs.no_moves,),
    ),
    Deviation(
        number=52,
        what='What Glance keeps for itself (os_glance_*) is no property to purge',
        why='Glance refuses to give it up, so an imported image could not be updated at all.',
        contract=('C-262',),
    ),
    Deviation(
        number=53,
        what='Locations are registered as 34.0.0 does it: by the call of its own, in the background',
        why='The older way needs a server that shows and takes locations from everybody.',
        contract=('C-257',),
    ),
    Deviation(
        number=54,
        what='A direct copy past the service is checked as a download is; the new API makes it too, and there data '
        'wins over a path',
        why='A wrong copy was taken for the image; a caller who asks for data gets data.',
        contract=('C-138', 'C-143', 'C-156'),
    ),
    Deviation(
        number=55,
        what='A Glance that does not answer is named by its URL, where no old client stands between',
        why='Old and new call must raise the same error; host and port alone do not say which server it was.',
        contract=('C-325',),
        compute=on_driver.named_by_url,
    ),
    Deviation(
        number=56,
        what='Without keystone nothing is sent of the caller, by the releases from 13 on either',
        why='A Glance that trusts headers believes whoever can reach it; one that does not needs none.',
        contract=('C-035',),
        compute=on_driver.told_to_keystone_only,
    ),
    Deviation(
        number=57,
        what='GlanceImageService leaves filters out, with a warning, that are none of v1 and none of v2',
        why='v1 ignored them; v2 takes them for custom properties and finds nothing.',
        contract=('C-233', 'C-317'),
        compute=on_driver.unknown_filters_are_ignored,
    ),
    Deviation(
        number=58,
        what='A named server is asked with the credential of the call, not with that of who named it first',
        why='One wrapper for two callers let the second one act as the first.',
        contract=('C-046',),
        compute=on_driver.credential_of_the_call,
    ),
)


def program_rules() -> tuple[tuple[int, Rule], ...]:
    """The rules for programs, in the order in which they are asked."""
    return tuple((entry.number, rule) for entry in DEVIATIONS for rule in entry.program)


def expectation(case: dict[str, Any], place: str, frontend: str = '') -> tuple[Answer, list[int]]:
    """What the case is expected to come to here, and the numbers of the deviations that say so."""
    replay = Replay(case, place, frontend)
    expected: Answer = copy.deepcopy(case['expect'])
    before: Answer = case['expect']
    touched: list[int] = []
    for entry in DEVIATIONS:
        try:
            entry.compute(replay, expected)
        except (AttributeError, LookupError, TypeError, ValueError):
            # A case of a shape that the computation was not written for: it says nothing about it.
            expected = copy.deepcopy(before)
        if expected != before:
            before = copy.deepcopy(expected)
            touched.append(entry.number)
    return expected, touched
