# SPDX-License-Identifier: Apache-2.0
"""What each reason code says and what to do about it: the one source of the guide's paragraphs.

A code is the number of the pattern at which a site was left or found to be not ours. A rule that reports a
new pattern needs a line here; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ['REASONS']

_KEPT = 'The import stays because something in the file still needs the old module, or a comment or the selection keeps it.'
_CALL = 'An argument cannot be followed (a splat, an unknown keyword), or another place of its group is left.'
_MOVE = 'Pass the arguments by name, or settle the place that the reason names'

#: code -> (what it is, why such a place is left, what to do)
REASONS: Mapping[str, tuple[str, str, str]] = MappingProxyType({
    'P-01': ('from-import of the module', _KEPT, 'Settle the places that the reason names; the next run takes the import along.'),
    'P-02': ('dotted import and dotted use', _KEPT, 'Settle the places that the reason names; the next run takes the import along.'),
    'P-03': ('aliased import of the module', _KEPT, 'Settle the places that the reason names; the next run takes the import along.'),
    'P-04': ('names imported out of the module, or by `*`', 'It is not certain that the name is the old one, or it is still used.', 'Import `nova_image` and call `nova_image.API()` where the name is used; replace an import by `*`.'),
    'P-05': ('module reached through a package or another module', 'Another module passes the old name on, and its other users are not known.', 'Import the name where it is defined, then run over the whole tree.'),
    'P-06': ('import in a function, a condition or a `try`', 'Which import is in force depends on the run.', 'Make the import unconditional, or rewrite both branches by hand.'),
    'P-07': ('import or string kept for a side effect', 'It may be there to register options, which no call shows.', 'Call `nova_image.options.register()` and delete it.'),
    'P-08': ('default service bound to a variable', 'Another use of the variable cannot be rewritten.', 'Settle the use that the reason names.'),
    'P-09': ('default service in a chained call', _CALL, f'{_MOVE}.'),
    'P-10': ('default service stored on an attribute', 'The attribute has another use that cannot be rewritten.', 'Settle the use that the reason names.'),
    'P-11': ('service that a caller may pass in', 'What callers pass in has the old methods.', 'Run over the tree that has all callers, or move the parameter and its callers by hand.'),
    'P-12': ('pair of service and parsed id', 'A use of either half cannot be rewritten.', 'Settle the use that the reason names.'),
    'P-13': ('parsed id that goes elsewhere', 'The new calls take the reference; who else gets the bare id needs it still.', 'Make the service with `nova_image.API.for_reference(ref)`, and use `nova_image.parse_image_ref(ref).image_id`, or the `id` of the record.'),
    'P-14': ('later calls that pass the reference', 'It is not certain that it is the reference the service was made from.', 'Pass the same variable to both.'),
    'P-15': ('later calls with an id not tied to the reference', 'On a service made from a URL they go to its server, and how the service is made cannot be written that way.', 'Make it with `nova_image.API.for_reference(ref)`, which stays at that server.'),
    'P-16': ('pair with unused halves', 'The call still refuses a bad reference.', 'Call `nova_image.parse_image_ref(ref)` for the check, or delete the line.'),
    'P-17': ('pair kept whole or subscripted', 'An element is used in a way that is not followed.', 'Unpack the pair into two variables.'),
    'P-18': ('pair unpacked into attributes', 'The attributes may be read from elsewhere.', 'Keep the reference in an attribute and pass it to `nova_image.API()`.'),
    'P-19': ('service class called without arguments', 'A use of the object cannot be rewritten.', 'Settle the use that the reason names.'),
    'P-20': ('service class around a client', 'The client names a server and an identity of its own.', 'Use `nova_image.API(endpoint=...)`, or a driver built for that client.'),
    'P-21': ('service handed to a function', 'Not every caller of the function, or the function itself, is in the run.', 'Run over the tree that has both.'),
    'P-22': ('function or class that receives a service', 'Some caller hands in something else.', 'Rewrite the callers that the reason names.'),
    'P-23': ('service reached through another object', 'Whose attribute it is, or who else reads it, is not certain.', 'Run over the whole tree; annotate or assign the attribute in one place.'),
    'P-24': ('acquisition in a closure or nested function', 'The variable is bound more than once around it.', 'Give each service a variable of its own.'),
    'P-25': ('service returned, function or module as a value', 'Where the value goes is not followed.', 'Hand over a `nova_image.API` and rewrite who receives it.'),
    'P-26': ('`show`', _CALL, f'{_MOVE}: `get(context, id_or_uri)`.'),
    'P-27': ('`show` with more arguments', _CALL, f'{_MOVE}: `get(context, id_or_uri, include_locations=..., show_deleted=...)`.'),
    'P-28': ('`detail`', _CALL, f'{_MOVE}: `get_all(context, filters=...)`; unknown keywords raise there, so pass on `**nova_image.listing_arguments(kw)`.'),
    'P-29': ('`create`', _CALL, f'{_MOVE}: `create(context, image_info, data)`.'),
    'P-30': ('`update` without `purge_props`', _CALL, f'{_MOVE}, and say `purge_props`: True without data, False with data.'),
    'P-31': ('`update` with `purge_props`', _CALL, f'{_MOVE}: `update(..., purge_props=...)`.'),
    'P-32': ('`delete`', _CALL, f'{_MOVE}: `delete(context, id_or_uri)`.'),
    'P-33': ('`download` to an iterator or a file', _CALL, f'{_MOVE}: `download(context, id_or_uri, data)`.'),
    'P-34': ('`download` to a path', _CALL, f'{_MOVE}: `download(context, id_or_uri, dest_path=...)`.'),
    'P-35': ('splats and keyword names', 'What a splat holds is not known, and names of parameters differ.', 'Write the arguments out.'),
    'P-36': ('bound method as a value', 'Who calls it, and with which arguments, is not known.', 'Pass the method of `nova_image.API()` and check its callers.'),
    'P-37': ('attribute or method without a counterpart', 'The new API has no such name.', 'See the table of old names for what does its work.'),
    'P-38': ('`generate_image_url`', 'The function is a value here, or no context is at hand.', 'Call `nova_image.API().generate_image_url(image_ref, context)`.'),
    'P-39': ('`generate_glance_url`', 'The function is a value here, or no context is at hand.', 'Call `nova_image.API().generate_glance_url(context)`.'),
    'P-40': ('`get_api_servers`', 'The driver chooses servers itself.', 'Delete the loop around it and call `nova_image.API()`.'),
    'P-41': ('`generate_identity_headers`', 'Sessions carry the token; forged headers are not made any more.', 'Use a keystoneauth session made from the context.'),
    'P-42': ('`UpdateGlanceImage`', 'The held-back call is used otherwise than by `start`.', 'Use `functools.partial(nova_image.API().update, ...)`.'),
    'P-43': ('`GlanceClientWrapper`, raw calls', 'A raw call depends on one version of the client.', 'Call the method of `nova_image.API()`, or glanceclient itself.'),
    'P-44': ('private helpers of the module', 'They have no counterpart.', 'Test and use the public behaviour instead.'),
    'P-45': ('subclass of the service class', 'Overridden methods have the old names and the old duties.', 'Derive from `nova_image.ImageDriver`.'),
    'P-46': ("`except` clauses of Nova's image errors", 'The name may also be raised by something else.', 'Catch `nova_image.errors`; `--errors` rewrites what is certain.'),
    'P-47': ('a boundary that the parse of a reference moves across', 'The error of a bad reference would come from another line.', 'Move the acquisition and the first call into one `try`.'),
    'P-48': ('patch target in a string', 'It patches nothing once the code under test has moved.', 'Patch methods of `nova_image.API`; `--tests` moves targets with their callers.'),
    'P-49': ('double of a module function', 'It goes inert once its callers have moved.', 'Replace `nova_image.API` or its methods, or run on the local driver.'),
    'P-50': ('double of a service method', 'It goes inert once its callers have moved.', 'Double the method of `nova_image.API`; `--tests` moves what is certain.'),
    'P-51': ('recorded or asserted calls, hand-written fakes', 'They state the old names and arguments.', 'State the new ones, or run on the local driver.'),
    'P-52': ('named by a dotted string', 'A string may be looked up at run time.', 'Name `nova_image.API` there.'),
    'P-53': ("the old module's own unit tests", 'They test what is going away.', 'Delete them with the module, or port them to the shim by hand.'),
    'P-54': ('module of the same name in another package', 'Not ours.', 'Nothing to do.'),
    'P-55': ('look-alike', 'Not ours: nothing leads to the old module.', 'Nothing to do.'),
    'P-56': ("upstream's own later image API", 'Not old; it moves only when asked.', 'Use `--api`.'),
    'P-57': ('comment, docstring, document or configuration', 'Text is never edited.', 'Read it over by hand.'),
    'P-58': ('file that cannot be parsed', 'Nothing in it can be followed.', 'Correct it, or write it in a form that can be parsed.'),
    'P-59': ('older generation of the image service', 'Its calls differ.', 'Rewrite it by hand after the table of old names.'),
    'P-60': ('a new name is taken in the file', 'The new code would reach something else.', 'Rename what has the name.'),
    'P-61': ('service variable bound more than once, or conditionally', 'Which service it holds is not certain.', 'Give each service a variable of its own.'),
})  # fmt: skip
