# SPDX-License-Identifier: Apache-2.0
"""Legacy's subcommands of ``nova-image``: a table; a command's module is imported when it runs."""

from __future__ import annotations

from nova_image.cli import Command

__all__ = ['COMMANDS']

COMMANDS: tuple[Command, ...] = (
    Command('baseline', 'fail when old uses are added; never when they go', 'legacy.progress.baseline:main'),
    Command('config', 'carry the image settings of an old nova.conf over', 'legacy.config:main'),
    Command('migrate', 'rewrite old call sites: --diff (default), --check, --write', 'legacy.migrate.cli:migrate_main'),
    Command('prove', 'run a command before and after the rewrite and compare', 'legacy.equivalence.prove_cli:main'),
    Command('scan', 'list old call sites and what would become of them', 'legacy.migrate.cli:scan_main'),
    Command('status', 'what is left, what ran, what can go next; --done', 'legacy.progress.status:main'),
    Command('verify', 'replay the recorded answers of the original modules', 'legacy.equivalence.verify:main'),
)
