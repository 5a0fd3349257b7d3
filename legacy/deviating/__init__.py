# SPDX-License-Identifier: Apache-2.0
"""How each deviation computes the answer that stands in place of the recorded one (D-19).

One module per subject; :mod:`legacy.deviations` is the list with the reasons.
"""
