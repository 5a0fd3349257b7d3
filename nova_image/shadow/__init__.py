# SPDX-License-Identifier: Apache-2.0
"""A driver that runs two drivers, compares them, and never doubles a write; see ``docs/shadow.md``.

``driver`` decides who answers, ``worker`` runs the other one off the caller's path, ``compare`` tells answers
apart, ``ledger`` keeps what was found, ``stages`` who answers what, ``command`` is ``nova-image mismatches``.
"""
