# SPDX-License-Identifier: Apache-2.0
"""Proof that nothing changed: outcomes, the recorded answers of the original, and what compares them."""
