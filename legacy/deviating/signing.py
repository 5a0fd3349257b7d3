# SPDX-License-Identifier: Apache-2.0
"""Deviations in how a signature is verified."""

from __future__ import annotations

from typing import Any

from legacy.deviating.recordings import Answer, Event, Replay, Step, consumed_before, log, script

_ERROR = 'nova_image.errors.SignatureVerificationError'
#: what no longer happens: the emptying of the target (D-8), the pauses of a green thread
_GONE = ('truncate', 'greenthread.sleep')


def record_before_data(replay: Replay, expected: Answer) -> None:
    """The verifier is there before any data is asked for; the bytes go to the caller, and no target is emptied."""
    if replay.on_wire or not replay.config('verify_glance_signatures', False):
        return
    for step in replay.steps(expected):
        if step.operation != 'download' or [event['method'] for event in step.calls] != ['data', 'get']:
            continue
        signed = any(event['ev'] == 'get_verifier' for event in step.events)
        refused = 'exception' in step.answer and not any(event['ev'] == 'verifier.verify' for event in step.events)
        _swap(replay, expected, step, refused)
        if signed:
            _errors_are_ours(step)
            _iterator_has_the_bytes(replay, expected, step)


def _swap(replay: Replay, expected: Answer, step: Step, refused: bool) -> None:
    outcomes, place = script(replay, expected), consumed_before(expected, step.number)
    outcomes[place : place + 2] = [outcomes[place + 1]] if refused else [outcomes[place + 1], outcomes[place]]
    data, get = step.calls
    clients = [event for event in step.events if event['ev'] == 'client']
    data['client'], get['client'] = get['client'], data['client']
    before = [event for event in step.events if event['ev'] == 'shuffle']
    behind = step.events[step.events.index(get) + 1 :]
    made = [event for event in behind if event['ev'] == 'get_verifier']
    rest: list[Event] = [
        event for event in behind if event['ev'] not in _GONE and event['ev'] != 'get_verifier'
    ]
    fetched = [] if refused else [clients[1], data]
    step.events[:] = [*before, clients[0], get, *made, *fetched, *rest]


def _errors_are_ours(step: Step) -> None:
    """Any failure to verify is ours as well as what it was, and logged."""
    error: dict[str, Any] | None = step.answer.get('exception')
    if error is None or 'SignatureVerificationError' in error['mro']:
        return
    if step.events[-1]['ev'] != 'log':
        step.events.append(log('ERROR'))
    step.answer['exception'] = {
        'class': _ERROR,
        'mro': ['SignatureVerificationError', 'NovaException', *error['mro']],
        'message': '',
        'volatile_message': True,
        'code': 500,
        'scripted': False,
    }


def _iterator_has_the_bytes(replay: Replay, expected: Answer, step: Step) -> None:
    """An iterator of the chunks, verified at their end, in place of one that the verification used up (C-146)."""
    if '$backend_iter' not in (step.answer.get('result') or {}):
        return
    place = consumed_before(expected, step.number) + 1
    chunks = script(replay, expected)[place]['return']['$iter']
    step.answer['result'] = {'$repr': '', 'type': 'DownloadedChunks'}
    step.answer['drained']['chunks'] = list(chunks)
