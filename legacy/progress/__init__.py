# SPDX-License-Identifier: Apache-2.0
"""How far a project is on its way off the old names: baseline (what may not grow) and status (what is left).

Reads what the migration finds and what the ledger counted; rewrites nothing.
"""
