# SPDX-License-Identifier: Apache-2.0
"""What a string literal says."""

from __future__ import annotations

from legacy.migrate.tree import Node, inner


def plain_string(node: Node) -> str | None:
    """The text of a plain string literal; None for anything else."""
    node = inner(node)
    if node.type != 'string' or any(
        each.type not in ('string_start', 'string_content', 'string_end') for each in node.children
    ):
        return None
    if node.children[0].text.lower().strip('\'"') not in ('', 'u', 'b'):
        return None
    content = [each for each in node.children if each.type == 'string_content']
    if any(each.named for each in content):
        return None
    return ''.join(each.text for each in content)
